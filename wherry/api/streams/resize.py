"""/containers/{id}/resize."""

from aiohttp import web

from wherry.api.request import ApiRequest
from wherry.api.services import Services
from wherry.base.errors import InvalidParameter

_NAMES = {"h": "height", "w": "width"}
_MAXIMUM = 0xFFFF


def dimension(request: ApiRequest, name: str) -> int:
    """Rows (`h`) or columns (`w`) of a terminal; raises InvalidParameter."""
    text = request.query(name)
    if not text.isdecimal():
        raise InvalidParameter(
            f'invalid resize {_NAMES[name]} "{text}": strconv.ParseUint: '
            f'parsing "{text}": invalid syntax'
        )
    return min(int(text), _MAXIMUM)


async def resize(request: ApiRequest, services: Services) -> web.StreamResponse:
    """POST /containers/{id}/resize."""
    height, width = dimension(request, "h"), dimension(request, "w")
    await services.streams.resize(request.path("id"), height, width)
    return web.Response(status=200)
