"""Endpoints of Docker that this engine knows and does not offer: never silence, always 501."""

from aiohttp import web

from wherry.api.request import ApiRequest
from wherry.api.services import Services
from wherry.base.errors import NotSupported


async def not_offered(request: ApiRequest, services: Services) -> web.StreamResponse:
    """Says which endpoint it is that is not offered."""
    raise NotSupported(f"{request.raw.method} {request.raw.path} is not supported by this engine")
