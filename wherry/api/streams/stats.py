"""/containers/{id}/stats."""

from contextlib import aclosing

import msgspec
from aiohttp import web

from wherry.api.request import ApiRequest, json_response, stream_response
from wherry.api.services import Services
from wherry.api.version import Version
from wherry.base.errors import InvalidParameter
from wherry.model.docker.stats import ContainerStats

_WITH_OS_TYPE = (1, 52)
_WITH_ONE_SHOT = (1, 41)


async def stats(request: ApiRequest, services: Services) -> web.StreamResponse:
    """GET /containers/{id}/stats: one JSON object each second, or one alone."""
    stream = request.flag("stream", default=True)
    one_shot = request.version >= _WITH_ONE_SHOT and request.flag("one-shot")
    if stream and one_shot:
        raise InvalidParameter("cannot have stream=true and one-shot=true")
    container = services.streams.stats.find(request.path("id"))
    if not stream:
        sample = await services.streams.stats.once(container, one_shot=one_shot)
        return json_response(_shown(sample, request.version))
    response = stream_response(request.raw, "application/json")
    await response.prepare(request.raw)
    async with aclosing(services.streams.stats.stream(container)) as samples:
        async for sample in request.while_connected(samples):
            shown = _shown(sample, request.version)
            await response.write(msgspec.json.encode(shown) + b"\n")
    await response.write_eof()
    return response


def _shown(sample: ContainerStats, version: Version) -> ContainerStats:
    if version >= _WITH_OS_TYPE:
        return sample
    return msgspec.structs.replace(sample, os_type=msgspec.UNSET)
