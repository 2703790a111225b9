"""/build and the connections that BuildKit's clients open: builds are not offered yet."""

from aiohttp import web

from wherry.api.request import ApiRequest, json_response
from wherry.api.services import Services
from wherry.base.errors import NotSupported


async def prune(request: ApiRequest, services: Services) -> web.StreamResponse:
    """POST /build/prune: there is no cache, so nothing is removed; `system prune` asks for it."""
    request.filters()
    return json_response({"CachesDeleted": None, "SpaceReclaimed": 0})


async def unsupported(request: ApiRequest, services: Services) -> web.StreamResponse:
    """Everything else about builds."""
    raise NotSupported("builds are not supported by this engine yet")
