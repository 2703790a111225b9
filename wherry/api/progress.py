"""Long work that tells how far it is: one JSON object a line, as Docker's clients print them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import msgspec
from aiohttp import web

from wherry.api.request import ApiRequest, stream_response
from wherry.base.errors import WherryError

_WAITING_LINES = 256
"""Progress that waits for its reader; more is left out."""

Line = dict[str, Any]


async def progress_response(
    request: ApiRequest, work: Callable[[Callable[[Line], None]], Awaitable[None]],
    *, in_stream: bool = False,
) -> web.StreamResponse:  # fmt: skip
    """Streams the progress objects of some work; an error before the first becomes a status.

    With `in_stream` the status is 200 in any case, and every error in the stream. Nothing is sent
    before the first object: clients such as skopeo take an answer for the end of the work.
    """
    lines: asyncio.Queue[Line | None] = asyncio.Queue()

    def report(line: Line) -> None:
        # A slow reader misses how far a layer is, never what becomes of it.
        if lines.qsize() < _WAITING_LINES or not line.get("progressDetail"):
            lines.put_nowait(line)

    async def run() -> None:
        try:
            await work(report)
        finally:
            lines.put_nowait(None)

    task = asyncio.get_running_loop().create_task(run())
    response = stream_response(request.raw, "application/json")
    try:
        async for line in request.while_connected(_until_none(lines)):
            if not response.prepared:
                await response.prepare(request.raw)
            await response.write(msgspec.json.encode(line) + b"\r\n")
        if not task.done() and (
            request.raw.transport is None or request.raw.transport.is_closing()
        ):
            raise ConnectionResetError("the client has left")
        await task
    except WherryError as error:
        if not response.prepared:
            if not in_stream:
                raise
            await response.prepare(request.raw)
        detail = {"errorDetail": {"message": error.message}, "error": error.message}
        await response.write(msgspec.json.encode(detail) + b"\r\n")
    except (ConnectionError, asyncio.CancelledError):
        task.cancel()
        raise
    if not response.prepared:
        await response.prepare(request.raw)
    await response.write_eof()
    return response


async def _until_none(lines: asyncio.Queue[Line | None]) -> AsyncIterator[Line]:
    while (line := await lines.get()) is not None:
        yield line
