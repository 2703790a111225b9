"""Attaching a client to a container: before its start, while it runs, with its log first."""

import asyncio
import contextlib
import os
import socket
from itertools import islice

import msgspec

from wherry.base.errors import Conflict, WherryError
from wherry.engine.containers.container import Container
from wherry.engine.containers.detach_keys import parse_detach_keys
from wherry.engine.containers.index import ContainerIndex
from wherry.engine.hijack import until_head_is_read
from wherry.engine.pools import Pools
from wherry.engine.system.event_bus import EventBus
from wherry.model.docker.stream import frame
from wherry.store.logs.reader import LogReader
from wherry.supervisor.messages import AttachOptions

_BATCH = 256


class AttachRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a client wants: which streams, the log before them, and by which keys it leaves."""

    stdin: bool = False
    stdout: bool = False
    stderr: bool = False
    logs: bool = False
    stream: bool = False
    detach_keys: str = ""


class AttachContainer:
    """Gives a client's socket to a container's monitor, or keeps it until there is one."""

    def __init__(self, index: ContainerIndex, pools: Pools, events: EventBus) -> None:
        self._index = index
        self._pools = pools
        self._events = events

    def check(self, reference: str, request: AttachRequest) -> Container:
        """The container, before the client's connection is taken over.

        Raises NoSuchContainer, Conflict if it is paused or between two runs, InvalidParameter
        for detach keys.
        """
        container = self._index.get(reference)
        parse_detach_keys(request.detach_keys)
        if container.state.status == "paused":
            raise Conflict(f"container {reference} is paused, unpause the container before attach")
        if container.state.status == "restarting":
            raise Conflict(
                f"container {reference} is restarting, wait until the container is running"
            )
        return container

    async def __call__(
        self, container: Container, descriptor: int, request: AttachRequest, *, framed: bool = True
    ) -> None:
        """Attaches a stream socket; the descriptor stays the caller's to close.

        Output of a process without a terminal has Docker's headers if `framed`.
        """
        framed = framed and not container.record.config.tty
        await until_head_is_read(descriptor)
        self._events.publish("container", "attach", container.id, container.attributes())
        if not request.stream:
            if request.logs:
                await self._write_log(container, descriptor, request, framed)
            return
        options = self._options(container, request, framed)
        if container.monitor is None:
            # A start holds the lock from its look at the parked sockets until its monitor runs.
            async with container.lock:
                if container.monitor is None:
                    await self._park(container, descriptor, request, options)
                    return
        await self._attach(container, descriptor, request, options)

    def _options(self, container: Container, request: AttachRequest, framed: bool) -> AttachOptions:
        config = container.record.config
        return AttachOptions(
            stdin=request.stdin and config.open_stdin,
            stdout=request.stdout,
            stderr=request.stderr,
            framed=framed,
            # Without a terminal nobody types: the bytes may be anything (moby copyEscapable).
            detach_keys=parse_detach_keys(request.detach_keys) if config.tty else "",
            hold=request.logs,
        )

    async def _park(
        self, container: Container, descriptor: int, request: AttachRequest,
        options: AttachOptions,
    ) -> None:  # fmt: skip
        if container.removed:
            return
        if request.logs:
            await self._write_log(container, descriptor, request, options.framed)
        options = msgspec.structs.replace(options, hold=False)
        container.park(os.dup(descriptor), options)

    async def _attach(
        self, container: Container, descriptor: int, request: AttachRequest,
        options: AttachOptions,
    ) -> None:  # fmt: skip
        monitor = container.monitor
        if monitor is None:
            return  # it ended meanwhile: the client sees the end of the stream
        with contextlib.suppress(WherryError):  # the same, seen by the monitor's connection
            answer = await self._pools.run("supervisor", monitor.attach, descriptor, options)
            if not request.logs:
                return
            try:
                await self._write_log(
                    container, descriptor, request, options.framed, answer.log_offset
                )
            finally:
                await self._pools.run("supervisor", monitor.release, answer.attach_id)

    async def _write_log(
        self, container: Container, descriptor: int, request: AttachRequest, framed: bool,
        end: int | None = None,
    ) -> None:  # fmt: skip
        """Writes the log up to an offset of its present file; ends early if the client is gone."""
        path = container.record.log_path
        if not path or container.record.host.log_config.type == "none":
            return
        wanted = {"stdout": request.stdout, "stderr": request.stderr}
        entries = LogReader(path).entries(end=end)
        loop = asyncio.get_running_loop()
        with socket.socket(fileno=os.dup(descriptor)) as client:
            client.setblocking(False)
            while True:
                batch = await self._pools.run("disk", lambda: list(islice(entries, _BATCH)))
                if not batch:
                    return
                pieces = [
                    frame(entry.stream, entry.log.encode()) if framed else entry.log.encode()
                    for entry in batch
                    if wanted.get(entry.stream, False)
                ]
                try:
                    await loop.sock_sendall(client, b"".join(pieces))
                except OSError:
                    return  # the client is gone, which the monitor sees too
