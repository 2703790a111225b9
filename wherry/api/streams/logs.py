"""/containers/{id}/logs."""

from contextlib import aclosing

from aiohttp import web

from wherry.api.request import MULTIPLEXED_STREAM, RAW_STREAM, ApiRequest, stream_response
from wherry.api.services import Services
from wherry.engine.containers.logs import LogsRequest
from wherry.model.docker.stream import frame


async def logs(request: ApiRequest, services: Services) -> web.StreamResponse:
    """GET /containers/{id}/logs: frames, or plain bytes of a terminal."""
    wanted = LogsRequest(
        stdout=request.flag("stdout"),
        stderr=request.flag("stderr"),
        follow=request.flag("follow"),
        since=_moment(request.query("since")),
        until=_moment(request.query("until")),
        tail=request.query("tail", "all"),
        timestamps=request.flag("timestamps"),
        details=request.flag("details"),
        grep=request.query("grep"),
    )
    container = services.streams.logs.check(request.path("id"), wanted)
    tty = container.record.config.tty
    kind = MULTIPLEXED_STREAM if not tty and request.version >= (1, 42) else RAW_STREAM
    response = stream_response(request.raw, kind)
    await response.prepare(request.raw)
    async with aclosing(services.streams.logs(container, wanted)) as batches:
        async for batch in request.while_connected(batches):
            pieces = [data if tty else frame(stream, data) for stream, data in batch]
            if pieces:
                await response.write(b"".join(pieces))
    await response.write_eof()
    return response


def _moment(text: str) -> str:
    """Clients send 0 for no bound."""
    return "" if text in ("", "0") else text
