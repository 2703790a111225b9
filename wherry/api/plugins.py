"""/plugins: this engine has none of Docker's managed plugins."""

from aiohttp import web

from wherry.api.request import ApiRequest, json_response
from wherry.api.services import Services
from wherry.base.errors import NotFound, NotSupported
from wherry.engine.filters import check_filters

_FILTERS = frozenset({"capability", "enabled"})


async def list_all(request: ApiRequest, services: Services) -> web.StreamResponse:
    """GET /plugins: there are none."""
    check_filters(request.filters(), _FILTERS)
    return json_response([])


async def missing(request: ApiRequest, services: Services) -> web.StreamResponse:
    """Every endpoint of one plugin: it is not there."""
    raise NotFound(f'plugin "{request.path("name")}" not found')


async def unsupported(request: ApiRequest, services: Services) -> web.StreamResponse:
    """Installing and making plugins."""
    raise NotSupported("plugins are not supported by this engine")
