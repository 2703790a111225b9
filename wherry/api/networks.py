"""/networks: translation between HTTP and the use cases of networks."""

import msgspec
from aiohttp import web

from wherry.api.request import ApiRequest, json_response
from wherry.api.services import Services
from wherry.base.errors import InvalidParameter
from wherry.model.docker.network import (
    NetworkConnectRequest,
    NetworkCreateRequest,
    NetworkCreateResponse,
    NetworkDisconnectRequest,
    NetworkResource,
    NetworksPruneResponse,
)

_WITH_STATUS = (1, 52)
"""The first version whose inspect tells how full the subnets are."""
_WITH_ENABLE_IPV4 = (1, 48)
"""The first version whose networks have `EnableIPv4`."""


async def list_all(request: ApiRequest, services: Services) -> web.StreamResponse:
    """GET /networks."""
    found = services.networks.list(request.filters())
    return json_response([_for_version(network, request.version) for network in found])


async def inspect(request: ApiRequest, services: Services) -> web.StreamResponse:
    """GET /networks/{id}."""
    found = services.networks.inspect(request.path("id"), request.query("scope", ""))
    return json_response(_for_version(found, request.version))


async def create(request: ApiRequest, services: Services) -> web.StreamResponse:
    """POST /networks/create."""
    body = await request.json(NetworkCreateRequest)
    identifier = await services.networks.create(body)
    return json_response(NetworkCreateResponse(identifier), 201)


async def remove(request: ApiRequest, services: Services) -> web.StreamResponse:
    """DELETE /networks/{id}."""
    await services.networks.remove(request.path("id"))
    return web.Response(status=204)


async def connect(request: ApiRequest, services: Services) -> web.StreamResponse:
    """POST /networks/{id}/connect."""
    body = await request.json(NetworkConnectRequest)
    if not body.container:
        raise InvalidParameter("container name or id must not be empty")
    await services.networks.connect(request.path("id"), body.container, body.endpoint_config)
    return web.Response(status=200)


async def disconnect(request: ApiRequest, services: Services) -> web.StreamResponse:
    """POST /networks/{id}/disconnect."""
    body = await request.json(NetworkDisconnectRequest)
    await services.networks.disconnect(request.path("id"), body.container, force=bool(body.force))
    return web.Response(status=200)


async def prune(request: ApiRequest, services: Services) -> web.StreamResponse:
    """POST /networks/prune."""
    removed = await services.networks.prune(request.filters())
    return json_response(NetworksPruneResponse(removed or None))


def _for_version(network: NetworkResource, version: tuple[int, int]) -> NetworkResource:
    if version < _WITH_STATUS:
        network = msgspec.structs.replace(network, status=msgspec.UNSET)
    if version >= _WITH_ENABLE_IPV4:
        return network
    return msgspec.structs.replace(network, enable_ipv4=msgspec.UNSET)
