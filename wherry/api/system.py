"""/info, /version, /events, /system/df: the engine as a whole."""

from aiohttp import web

from wherry.api.json_stream import JSON, JSON_LINES, framed, negotiated
from wherry.api.request import ApiRequest, json_response, stream_response
from wherry.api.services import Services
from wherry.api.system_views import disk_usage_view, event_view, info_view
from wherry.base.clock import now_ns
from wherry.base.errors import InvalidParameter
from wherry.engine.filters import parse_moment

_WITH_TYPES = (1, 42)
"""From this version on `GET /system/df` can be asked for some kinds of objects alone."""
_WITH_JSON_LINES = (1, 52)
"""From this version on a stream of events says that it is one of lines."""


async def info(request: ApiRequest, services: Services) -> web.StreamResponse:
    """GET /info."""
    return json_response(info_view(services.system.info(), request.version))


async def version(request: ApiRequest, services: Services) -> web.StreamResponse:
    """GET /version."""
    return json_response(services.system.version())


async def disk_usage(request: ApiRequest, services: Services) -> web.StreamResponse:
    """GET /system/df."""
    types = request.queries("type") if request.version >= _WITH_TYPES else []
    measured = await services.system.disk_usage(types)
    return json_response(disk_usage_view(measured, request.version, request.flag("verbose")))


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
    default = JSON if request.version < _WITH_JSON_LINES else JSON_LINES
    kind = negotiated(request.raw.headers.get("Accept", ""), default)
    response = stream_response(request.raw, kind)
    try:
        await response.prepare(request.raw)
        async for event in request.while_connected(subscription):
            shown = event_view(event, request.version)
            if shown is not None:
                await response.write(framed(shown, kind))
        await response.write_eof()
    except ConnectionError:
        pass  # the client left, which is how this usually ends
    finally:
        subscription.close()
    return response


def _moment(request: ApiRequest, name: str, now: int) -> int | None:
    text = request.query(name, "")
    return parse_moment(text, now) if text else None
