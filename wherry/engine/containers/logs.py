"""Reading a container's log: what is there, and what comes while the container runs."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from itertools import islice
from urllib.parse import quote_plus

import msgspec

from wherry.base.clock import now_ns, parse_rfc3339
from wherry.base.errors import InvalidParameter, NotSupported
from wherry.engine.containers.container import Container
from wherry.engine.containers.index import ContainerIndex
from wherry.engine.filters import parse_moment
from wherry.engine.pools import Pools
from wherry.store.logs.reader import LogFollower, LogReader
from wherry.store.logs.record import LogEntry
from wherry.store.logs.search import LineSearch, compile_search

_MOST_LINES = 1 << 30
_BATCH = 512

Lines = list[tuple[str, bytes]]
"""Pieces of output in order, each with its stream."""


class LogsRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What to show; times as clients write them, empty for none.

    `grep` is a pattern of RE2 that lines must match, Wherry's own.
    """

    stdout: bool = False
    stderr: bool = False
    follow: bool = False
    since: str = ""
    until: str = ""
    tail: str = "all"
    timestamps: bool = False
    details: bool = False
    grep: str = ""


class ContainerLogs:
    """Streams the log of a container."""

    def __init__(self, index: ContainerIndex, pools: Pools) -> None:
        self._index = index
        self._pools = pools

    def check(self, reference: str, request: LogsRequest) -> Container:
        """The container, before the answer begins.

        Raises NoSuchContainer, InvalidParameter for streams and times, NotSupported for a log
        driver that keeps nothing.
        """
        if not (request.stdout or request.stderr):
            raise InvalidParameter("Bad parameters: you must choose at least one stream")
        container = self._index.get(reference)
        for text in (request.since, request.until):
            if text:
                parse_moment(text, now_ns())
        if request.grep:
            compile_search(request.grep)
        if container.record.host.log_config.type == "none" or not container.record.log_path:
            raise NotSupported("configured logging driver does not support reading")
        return container

    async def __call__(
        self, container: Container, request: LogsRequest
    ) -> AsyncGenerator[Lines, None]:
        """The log's pieces; with `follow` until the container ends or is removed."""
        now = now_ns()
        since = parse_moment(request.since, now) if request.since else 0
        until = parse_moment(request.until, now) if request.until else 0
        reader = LogReader(container.record.log_path)
        follow = request.follow and container.state.running and (not until or until > now)
        run = container.exits  # its end may come while what is there is sent
        tail = min(int(request.tail[:18]), _MOST_LINES) if request.tail.isdecimal() else None
        matches = compile_search(request.grep) if request.grep else None
        search = LineSearch(matches) if matches else None
        follower: LogFollower | None = None
        size: int | None = None
        if follow:
            size = reader.size()
            follower = LogFollower(container.record.log_path, size)
        try:
            entries = reader.entries(
                tail=tail, since=since, until=until, end=size, matches=matches
            )  # fmt: skip
            while batch := await self._pools.run("disk", lambda: list(islice(entries, _BATCH))):
                yield _rendered(batch, request)
            if follower:
                async for batch in self._follow(container, run, follower, until):
                    wanted = [entry for entry in batch if _between(entry, since, until)]
                    if search:
                        wanted = list(search.feed(wanted))
                    yield _rendered(wanted, request)
                if search:
                    yield _rendered(list(search.finish()), request)
        finally:
            if follower:
                follower.close()

    async def _follow(
        self, container: Container, run: int, follower: LogFollower, until: int
    ) -> AsyncIterator[list[LogEntry]]:
        loop = asyncio.get_running_loop()
        grown = asyncio.Event()
        loop.add_reader(follower.fileno(), grown.set)
        watching = loop.create_task(_tell_end(container, run, grown))
        timer = loop.call_later(max(0.0, (until - now_ns()) / 1e9), grown.set) if until else None
        try:
            while True:
                grown.clear()
                # Asked before the read: what is written before the end is in the log by then.
                ended = watching.done() or (until and now_ns() >= until)
                batch = follower.read()
                if batch:
                    yield batch
                elif ended:
                    return
                else:
                    await grown.wait()
        finally:
            loop.remove_reader(follower.fileno())
            watching.cancel()
            if timer:
                timer.cancel()


async def _tell_end(container: Container, run: int, told: asyncio.Event) -> None:
    """Ends, and tells so, when a run of the container does."""
    condition = await container.changed()
    with contextlib.suppress(asyncio.CancelledError):
        async with condition:
            await condition.wait_for(lambda: container.exits != run or container.removed)
        asyncio.get_running_loop().call_soon(told.set)


def _between(entry: LogEntry, since: int, until: int) -> bool:
    if not since and not until:
        return True
    time = parse_rfc3339(entry.time)
    return time >= since and (not until or time <= until)


def _rendered(entries: list[LogEntry], request: LogsRequest) -> Lines:
    wanted = {"stdout": request.stdout, "stderr": request.stderr}
    return [
        (entry.stream, _prefix(entry, request) + entry.log.encode())
        for entry in entries
        if wanted.get(entry.stream, False)
    ]


def _prefix(entry: LogEntry, request: LogsRequest) -> bytes:
    text = ""
    if request.timestamps:
        whole, _, fraction = entry.time.removesuffix("Z").partition(".")
        text = f"{whole}.{fraction:0<9}Z "  # always nine digits, so that columns line up
    if request.details:
        pairs = sorted(entry.attrs.items())
        text += ",".join(f"{quote_plus(key)}={quote_plus(value)}" for key, value in pairs) + " "
    return text.encode()
