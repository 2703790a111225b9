"""/info, /version, /events, /system/df, and what this engine does not do: swarm, plugins."""

import contextlib

import msgspec
from aiohttp import web

from wherry.api.request import ApiRequest, json_response
from wherry.api.services import Services
from wherry.base.clock import now_ns
from wherry.base.errors import InvalidParameter, NotFound, NotSupported, Unavailable
from wherry.engine.filters import parse_moment

NOT_A_MANAGER = (
    'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect '
    "this node to swarm and try again."
)


async def info(request: ApiRequest, services: Services) -> web.StreamResponse:
    """GET /info."""
    return json_response(services.system.info())


async def version(request: ApiRequest, services: Services) -> web.StreamResponse:
    """GET /version."""
    return json_response(services.system.version())


async def disk_usage(request: ApiRequest, services: Services) -> web.StreamResponse:
    """GET /system/df."""
    types = request.raw.query.getall("type", [])
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
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    try:
        await response.prepare(request.raw)
        async for event in subscription:
            await response.write(msgspec.json.encode(event) + b"\n")
        with contextlib.suppress(ConnectionError):
            await response.write_eof()
    except ConnectionError:
        return response  # the client left, which is how this usually ends
    finally:
        subscription.close()
    return response


async def not_a_manager(request: ApiRequest, services: Services) -> web.StreamResponse:
    """Every endpoint of swarm, nodes, services, tasks, secrets and configs."""
    raise Unavailable(NOT_A_MANAGER)


async def plugins(request: ApiRequest, services: Services) -> web.StreamResponse:
    """GET /plugins: there are none."""
    return json_response([])


async def plugin(request: ApiRequest, services: Services) -> web.StreamResponse:
    """Every endpoint of one plugin: it is not there."""
    raise NotFound(f'plugin "{request.path("name")}" not found')


async def no_plugins(request: ApiRequest, services: Services) -> web.StreamResponse:
    """Installing and making plugins."""
    raise NotSupported("plugins are not supported by this engine")


async def no_build(request: ApiRequest, services: Services) -> web.StreamResponse:
    """Everything about builds."""
    raise NotSupported("builds are not supported by this engine yet")


def _moment(request: ApiRequest, name: str, now: int) -> int | None:
    text = request.query(name, "")
    return parse_moment(text, now) if text else None
