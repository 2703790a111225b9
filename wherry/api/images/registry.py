"""Endpoints that ask registries: search, distribution, auth."""

from aiohttp import web

from wherry.api.images.parameters import registry_auth
from wherry.api.request import ApiRequest, json_response
from wherry.api.services import Services
from wherry.base.errors import InvalidParameter
from wherry.model.credentials import Credentials
from wherry.model.reference import Reference


async def search(request: ApiRequest, services: Services) -> web.StreamResponse:
    """GET /images/search."""
    try:
        limit = request.integer("limit")
    except InvalidParameter as error:
        raise InvalidParameter(f"invalid limit specified: {error.message}") from None
    found = await services.images.search(
        request.query("term"), limit, request.filters(), registry_auth(request)
    )
    return json_response(found)


async def distribution(request: ApiRequest, services: Services) -> web.StreamResponse:
    """GET /distribution/{name}/json."""
    reference = Reference.parse(request.path("name"))
    return json_response(await services.images.distribution(reference, registry_auth(request)))


async def auth(request: ApiRequest, services: Services) -> web.StreamResponse:
    """POST /auth."""
    credentials = await request.json(Credentials)
    token = await services.images.log_in(credentials)
    return json_response({"Status": "Login Succeeded", "IdentityToken": token})
