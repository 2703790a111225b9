"""/secrets: translation between HTTP and the use cases of secrets."""

from aiohttp import web

from wherry.api.request import ApiRequest, json_response
from wherry.api.services import Services
from wherry.base.errors import InvalidParameter
from wherry.model.docker.secret import SecretCreated, SecretSpec


async def list_all(request: ApiRequest, services: Services) -> web.StreamResponse:
    """GET /secrets."""
    return json_response(services.secrets.list(request.filters()))


async def inspect(request: ApiRequest, services: Services) -> web.StreamResponse:
    """GET /secrets/{id}."""
    return json_response(services.secrets.inspect(request.path("id")))


async def create(request: ApiRequest, services: Services) -> web.StreamResponse:
    """POST /secrets/create."""
    return json_response(
        SecretCreated(await services.secrets.create(await request.json(SecretSpec))), 201
    )


async def update(request: ApiRequest, services: Services) -> web.StreamResponse:
    """POST /secrets/{id}/update: labels only, and only of the version that the client saw."""
    version = request.integer("version")
    if version is None:
        raise InvalidParameter("invalid secret version")
    spec = await request.json(SecretSpec)
    await services.secrets.update(request.path("id"), version, spec)
    return web.Response()


async def remove(request: ApiRequest, services: Services) -> web.StreamResponse:
    """DELETE /secrets/{id}."""
    await services.secrets.remove(request.path("id"))
    return web.Response(status=204)
