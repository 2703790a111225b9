"""/volumes: translation between HTTP and the use cases of volumes."""

from aiohttp import web

from wherry.api.request import ApiRequest, json_response
from wherry.api.services import Services
from wherry.base.errors import Unavailable
from wherry.model.docker.volume import VolumeCreateRequest, VolumeListResponse

_PRUNES_ANONYMOUS_ONLY = (1, 42)
"""From this version on a prune without `all` spares named volumes."""


async def list_all(request: ApiRequest, services: Services) -> web.StreamResponse:
    """GET /volumes."""
    return json_response(VolumeListResponse(services.volumes.list(request.filters())))


async def inspect(request: ApiRequest, services: Services) -> web.StreamResponse:
    """GET /volumes/{name}."""
    return json_response(services.volumes.inspect(request.path("name")))


async def create(request: ApiRequest, services: Services) -> web.StreamResponse:
    """POST /volumes/create."""
    body = await request.json(VolumeCreateRequest)
    return json_response(await services.volumes.create(body), 201)


async def remove(request: ApiRequest, services: Services) -> web.StreamResponse:
    """DELETE /volumes/{name}."""
    await services.volumes.remove(request.path("name"), force=request.flag("force"))
    return web.Response(status=204)


async def update(request: ApiRequest, services: Services) -> web.StreamResponse:
    """PUT /volumes/{name}: cluster volumes only, and there is no cluster."""
    services.volumes.inspect(request.path("name"))
    raise Unavailable(
        'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to '
        "connect this node to swarm and try again."
    )


async def prune(request: ApiRequest, services: Services) -> web.StreamResponse:
    """POST /volumes/prune."""
    named = request.version < _PRUNES_ANONYMOUS_ONLY
    return json_response(await services.volumes.prune(request.filters(), named=named))
