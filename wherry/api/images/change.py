"""Endpoints that change what images there are: tag, remove, prune, commit."""

from aiohttp import web

from wherry.api.images.parameters import new_name, platforms
from wherry.api.request import ApiRequest, json_response
from wherry.api.services import Services
from wherry.base.errors import InvalidParameter
from wherry.model.docker.container import ContainerConfig


async def tag(request: ApiRequest, services: Services) -> web.StreamResponse:
    """POST /images/{name}/tag."""
    reference = new_name(request.query("repo"), request.query("tag"))
    if reference is None:
        raise InvalidParameter("invalid reference format")
    await services.images.tag(request.path("name"), reference)
    return web.Response(status=201)


async def remove(request: ApiRequest, services: Services) -> web.StreamResponse:
    """DELETE /images/{name}."""
    if not request.path("name").strip():
        raise InvalidParameter("image name cannot be blank")
    removed = await services.images.remove(
        request.path("name"), force=request.flag("force"), prune=not request.flag("noprune"),
        platforms=platforms(request, "platforms", (1, 50)),
    )  # fmt: skip
    return json_response(removed)


async def prune(request: ApiRequest, services: Services) -> web.StreamResponse:
    """POST /images/prune."""
    return json_response(await services.images.prune(request.filters()))


async def commit(request: ApiRequest, services: Services) -> web.StreamResponse:
    """POST /commit."""
    container = services.containers.index.get(request.query("container"))
    reference = new_name(request.query("repo"), request.query("tag"))
    image = await services.images.commit(
        container, reference=reference, changes=request.queries("changes"),
        author=request.query("author"), comment=request.query("comment"),
        pause=request.flag("pause", True), override=await _config(request),
    )  # fmt: skip
    return json_response({"Id": image.id}, 201)


async def _config(request: ApiRequest) -> ContainerConfig | None:
    """The configuration in the body; null stands for none, as Go's clients send it."""
    if (await request.raw.read()).strip() in (b"", b"null", b"{}"):
        return None
    return await request.json(ContainerConfig)
