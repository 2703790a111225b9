"""/containers/{id}/stats."""

from contextlib import aclosing

import msgspec
from aiohttp import web

from wherry.api.request import ApiRequest, json_response, stream_response
from wherry.api.services import Services
from wherry.base.errors import InvalidParameter


async def stats(request: ApiRequest, services: Services) -> web.StreamResponse:
    """GET /containers/{id}/stats: one JSON object each second, or one alone."""
    stream = request.flag("stream", default=True)
    one_shot = request.flag("one-shot")
    if stream and one_shot:
        raise InvalidParameter("cannot have stream=true and one-shot=true")
    container = services.streams.stats.find(request.path("id"))
    if not stream:
        return json_response(await services.streams.stats.once(container, one_shot=one_shot))
    response = stream_response(request.raw, "application/json")
    await response.prepare(request.raw)
    async with aclosing(services.streams.stats.stream(container)) as samples:
        async for sample in request.while_connected(samples):
            await response.write(msgspec.json.encode(sample) + b"\n")
    await response.write_eof()
    return response
