"""Tasks and the pipes between them and clients, without a thread that waits."""

import asyncio
import contextlib
import io
import os
from collections.abc import AsyncGenerator, AsyncIterator, Iterator

from wherry.engine.pools import Pools
from wherry.supervisor.client import Task
from wherry.supervisor.tasks import RESULT

_FRAME_SECONDS = 20.0
_PIECE = 1 << 18


@contextlib.contextmanager
def ended_with(task: Task) -> Iterator[Task]:
    """Kills a task that is left before its end."""
    try:
        yield task
    except BaseException:
        task.kill()
        raise


async def next_frame(task: Task, pools: Pools) -> tuple[bytes, bytes]:
    """The task's next progress or result, as soon as there is one; raises its failure."""
    await _readable(task.fileno())
    return await pools.run("disk", task.next_frame, _FRAME_SECONDS)


async def result(task: Task, pools: Pools) -> bytes:
    """The task's result; raises its failure."""
    while True:
        kind, payload = await next_frame(task, pools)
        if kind == RESULT:
            return payload


async def _readable(descriptor: int) -> None:
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()

    def woken() -> None:
        if not ready.done():
            ready.set_result(None)

    loop.add_reader(descriptor, woken)
    try:
        await ready
    finally:
        loop.remove_reader(descriptor)


@contextlib.asynccontextmanager
async def read_pipe(descriptor: int) -> AsyncGenerator[AsyncIterator[bytes], None]:
    """What is written to a pipe, until its end; takes the descriptor over, also if unread."""
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        async with contextlib.aclosing(_pieces(file)) as pieces:
            yield pieces


async def _pieces(file: io.FileIO) -> AsyncGenerator[bytes, None]:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(_PIECE)
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), file)
    try:
        while data := await reader.read(_PIECE):
            yield data
    finally:
        transport.close()


@contextlib.asynccontextmanager
async def write_pipe(descriptor: int, pieces: AsyncIterator[bytes]) -> AsyncGenerator[None, None]:
    """Meanwhile writes everything to a pipe; takes the descriptor over, and leaves it closed."""
    with os.fdopen(descriptor, "wb", buffering=0) as file:
        feeding = asyncio.ensure_future(_feed(file, pieces))
        try:
            yield
        finally:
            feeding.cancel()
            await asyncio.wait({feeding})


async def _feed(file: io.FileIO, pieces: AsyncIterator[bytes]) -> None:
    """Writes everything to a pipe and closes it; a reader that went away is no error."""
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.connect_write_pipe(
        lambda: asyncio.streams.FlowControlMixin(loop), file
    )
    writer = asyncio.StreamWriter(transport, protocol, None, loop)
    try:
        with contextlib.suppress(ConnectionError):
            async for data in pieces:
                if transport.is_closing():
                    return
                writer.write(data)
                await writer.drain()
    finally:
        transport.close()
