"""/info, /version, /events, /system/df: the engine as a whole."""

import asyncio

import msgspec
from aiohttp import web

from wherry.api.request import ApiRequest, json_response, stream_response
from wherry.api.services import Services
from wherry.base.clock import now_ns
from wherry.base.errors import InvalidParameter
from wherry.engine.filters import parse_moment
from wherry.engine.system.event_bus import Subscription

CLIENT_CHECK = 10.0
"""Seconds between looks at whether the reader of an idle stream of events is still there."""


async def info(request: ApiRequest, services: Services) -> web.StreamResponse:
    """GET /info."""
    return json_response(services.system.info())


async def version(request: ApiRequest, services: Services) -> web.StreamResponse:
    """GET /version."""
    return json_response(services.system.version())


async def disk_usage(request: ApiRequest, services: Services) -> web.StreamResponse:
    """GET /system/df."""
    types = request.queries("type")
    return json_response(await services.system.disk_usage(types))


async def events(request: ApiRequest, services: Services) -> web.StreamResponse:
    """GET /events: one JSON object for each event, as long as the client listens."""
    now = now_ns()
    since = _moment(request, "since", now)
    until = _moment(request, "until", now)
    if since is not None and until is not None and since > until:
        raise InvalidParameter(
            f"`since` time ({request.query('since', '')}) cannot be after `until` time "
            f"({request.query('until', '')})"
        )
    subscription = services.system.events.subscribe(request.filters(), since, until)
    response = stream_response(request.raw, "application/json")
    try:
        await response.prepare(request.raw)
        await _write_events(request, response, subscription)
    except ConnectionError:
        pass  # the client left, which is how this usually ends
    finally:
        subscription.close()
    return response


async def _write_events(
    request: ApiRequest, response: web.StreamResponse, subscription: Subscription
) -> None:
    """Writes events until the end of the subscription, or until the client has left.

    A client that leaves while nothing happens is seen at the next look at the connection.
    """
    while True:
        following = asyncio.ensure_future(anext(subscription, None))
        try:
            while not following.done():
                await asyncio.wait({following}, timeout=CLIENT_CHECK)
                transport = request.raw.transport
                if transport is None or transport.is_closing():
                    return
        finally:
            following.cancel()
        event = following.result()
        if event is None:
            await response.write_eof()
            return
        await response.write(msgspec.json.encode(event) + b"\n")


def _moment(request: ApiRequest, name: str, now: int) -> int | None:
    text = request.query(name, "")
    return parse_moment(text, now) if text else None
