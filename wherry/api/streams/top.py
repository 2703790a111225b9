"""/containers/{id}/top."""

from aiohttp import web

from wherry.api.request import ApiRequest, json_response
from wherry.api.services import Services


async def top(request: ApiRequest, services: Services) -> web.StreamResponse:
    """GET /containers/{id}/top."""
    return json_response(await services.streams.top(request.path("id"), request.query("ps_args")))
