"""/swarm and what lives in one: this engine answers as one that is in no swarm."""

from aiohttp import web

from wherry.api.request import ApiRequest
from wherry.api.services import Services
from wherry.base.errors import NotSupported, Unavailable

NOT_A_MANAGER = (
    'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect '
    "this node to swarm and try again."
)


async def not_a_manager(request: ApiRequest, services: Services) -> web.StreamResponse:
    """What only the manager of a swarm can answer."""
    raise Unavailable(NOT_A_MANAGER)


async def leave(request: ApiRequest, services: Services) -> web.StreamResponse:
    """POST /swarm/leave."""
    raise Unavailable("This node is not part of a swarm")


async def no_swarm(request: ApiRequest, services: Services) -> web.StreamResponse:
    """POST /swarm/init and /swarm/join: there is no clustering to begin."""
    raise NotSupported("swarm mode is not supported by this engine")
