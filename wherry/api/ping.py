"""/_ping: whether the engine is there, and what it speaks."""

from aiohttp import web

from wherry.api.request import ApiRequest
from wherry.api.services import Services

_HEADERS = {
    "Builder-Version": "1",  # 2 would make clients look for BuildKit
    "Swarm": "inactive",
    "Cache-Control": "no-cache, no-store, must-revalidate",
    "Pragma": "no-cache",
}


async def ping(request: ApiRequest, services: Services) -> web.StreamResponse:
    """GET and HEAD /_ping."""
    if request.raw.method == "HEAD":
        return web.Response(headers={**_HEADERS, "Content-Type": "text/plain; charset=utf-8"})
    return web.Response(text="OK", headers=_HEADERS)
