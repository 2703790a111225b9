"""/volumes: translation between HTTP and the use cases of volumes."""

from aiohttp import web

from wherry.api.request import (
    ApiRequest,
    archive_from_client,
    json_response,
    send_pieces,
    stream_response,
)
from wherry.api.services import Services
from wherry.api.swarm import NOT_A_MANAGER
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
    raise Unavailable(NOT_A_MANAGER)


async def prune(request: ApiRequest, services: Services) -> web.StreamResponse:
    """POST /volumes/prune."""
    named = request.version < _PRUNES_ANONYMOUS_ONLY
    return json_response(await services.volumes.prune(request.filters(), named=named))


async def export(request: ApiRequest, services: Services) -> web.StreamResponse:
    """GET /volumes/{name}/export: the files of a volume as an archive; Wherry's own."""
    async with services.volumes.export(request.path("name")) as archive:
        response = stream_response(request.raw, "application/x-tar")
        await send_pieces(request, response, archive)
    await response.write_eof()
    return response


async def fill(request: ApiRequest, services: Services) -> web.StreamResponse:
    """POST /volumes/{name}/import: a new or empty volume gets an archive's files; Wherry's own."""
    archive = request.raw.content.iter_chunked(1 << 18)
    with archive_from_client():
        return json_response(await services.volumes.fill(request.path("name"), archive), 201)


async def clone(request: ApiRequest, services: Services) -> web.StreamResponse:
    """POST /volumes/{name}/clone?name=: a new volume with the files of another; Wherry's own."""
    made = await services.volumes.clone(request.path("name"), request.query("name"))
    return json_response(made, 201)
