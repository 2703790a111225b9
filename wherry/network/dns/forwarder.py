"""Questions that are not about containers go to name servers: cached, shared, and raced."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import NamedTuple

from wherry.network.dns import message as m
from wherry.network.dns.cache import Cache
from wherry.network.dns.upstream import OpenSocket, Upstream, ask

_log = logging.getLogger("wherry.dns")

LARGEST_RACE = 3
"""Name servers that are asked, as resolv.conf(5) has it."""

_BAD = frozenset({m.FORMERR, m.SERVFAIL, m.NOTIMP, m.REFUSED})
"""Codes by which a server says that another may know better."""

_OPEN_QUESTIONS = 1024
"""Questions under way at a time for all containers together."""


class Timing(NamedTuple):
    """Seconds: until the next server is asked too, until all are asked again, until the end.

    The end comes before a client's own five seconds (resolv.conf(5)), so that it hears of it.
    `ill` is how long a server that failed is asked last.
    """

    next_server: float = 0.3
    again: float = 1.5
    end: float = 4.0
    ill: float = 20.0


class Forwarder:
    """Asks name servers on behalf of containers."""

    def __init__(
        self, opener: OpenSocket, *, cache: Cache | None = None, timing: Timing = Timing(),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        """`opener` makes sockets in the namespaces that servers are asked from."""
        self._opener = opener
        self._cache = cache if cache is not None else Cache()
        self._timing = timing
        self._clock = clock
        self._ill: dict[Upstream, float] = {}
        self._under_way: dict[Hashable, asyncio.Task[bytes | None]] = {}
        self.counts: Counter[str] = Counter()

    def cached(self, query: m.Query, upstreams: Sequence[Upstream]) -> bytes | None:
        """The answer if it is known already."""
        if query.options:
            return None
        found = self._cache.get(_key(query, upstreams))
        if found is None:
            return None
        self.counts["cached"] += 1
        # The question's letters come back as they were asked (RFC 1035, 4.1.2).
        return m.with_id(found[:12] + query.question + found[12 + len(query.question) :], query.id)

    async def resolve(self, query: m.Query, data: bytes, upstreams: Sequence[Upstream]) -> bytes:
        """The answer of the first server that has one; SERVFAIL if none has.

        The same question of several clients is asked once.
        """
        key = (_key(query, upstreams), query.options and data[2:])
        self._ill = {key: until for key, until in self._ill.items() if until > self._clock()}
        task = self._under_way.get(key)
        if task is None:
            if len(self._under_way) >= _OPEN_QUESTIONS or not upstreams:
                self.counts["failed"] += 1
                return m.reply(query, m.SERVFAIL)
            task = asyncio.create_task(self._race(query, data, upstreams[:LARGEST_RACE]))
            self._under_way[key] = task
            task.add_done_callback(lambda _: self._under_way.pop(key, None))
        found = await asyncio.shield(task)
        if found is None:
            self.counts["failed"] += 1
            return m.reply(query, m.SERVFAIL)
        if not query.options and m.rcode(found) not in _BAD:
            self._cache.put(_key(query, upstreams), found)
        if found[4:6] == b"\0\1":
            found = found[:12] + query.question + found[12 + len(query.question) :]
        return m.with_id(found, query.id)

    def forget(self) -> None:
        """Drops what the servers said: there are others now."""
        self._cache.clear()
        self._ill.clear()

    async def _race(
        self, query: m.Query, data: bytes, upstreams: Sequence[Upstream]
    ) -> bytes | None:
        """A good answer; or a server's refusal if there is nothing better, None if none speaks."""
        self.counts["forwarded"] += 1
        loop = asyncio.get_running_loop()
        begun = loop.time()
        healthy_first = sorted(upstreams, key=lambda item: self._ill.get(item, 0) > self._clock())
        starts = list(self._starts(healthy_first))
        running: dict[asyncio.Task[bytes], Upstream] = {}
        refusal: bytes | None = None
        try:
            while starts or running:
                wait = (starts[0][0] if starts else self._timing.end) - (loop.time() - begun)
                if starts and (wait <= 0 or not running):
                    upstream = starts.pop(0)[1]
                    running[asyncio.create_task(ask(upstream, query, data, self._opener))] = (
                        upstream
                    )
                    continue
                if loop.time() - begun >= self._timing.end:
                    break
                done, _ = await asyncio.wait(
                    running, timeout=max(wait, 0), return_when=asyncio.FIRST_COMPLETED
                )
                for task in done:
                    order = list(running)
                    earlier = [running[item] for item in order[: order.index(task)]]
                    upstream = running.pop(task)
                    found = _result(task, upstream)
                    if found is not None and m.rcode(found) not in _BAD:
                        self._rate(upstream, earlier)
                        return found
                    refusal = found or refusal
                    self._ill[upstream] = self._clock() + self._timing.ill
                    # A server that says no is not asked again, and the next one at once.
                    starts = [item for item in starts if item[1] != upstream]
                    if starts:
                        starts[0] = (0.0, starts[0][1])
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
        for upstream in running.values():
            self._ill[upstream] = self._clock() + self._timing.ill
        return refusal

    def _starts(self, order: Sequence[Upstream]) -> Iterator[tuple[float, Upstream]]:
        """When each server is asked, in seconds from the beginning: all, then all again."""
        timing = self._timing
        second = max(timing.again, timing.next_server * len(order))
        for begin in (0.0, second):
            for number, upstream in enumerate(order):
                yield begin + number * timing.next_server, upstream

    def _rate(self, winner: Upstream, slower: Sequence[Upstream]) -> None:
        """Whoever was overtaken by a server that was asked later is asked last for a while."""
        self._ill.pop(winner, None)
        for upstream in slower:
            if upstream != winner:
                self._ill[upstream] = self._clock() + self._timing.ill


def _key(query: m.Query, upstreams: Sequence[Upstream]) -> Hashable:
    """What an answer depends on."""
    flags = query.flags & (m.RD | m.AD | m.CD)
    return query.question.lower(), flags, query.size > 0, query.dnssec, tuple(upstreams)


def _result(task: "asyncio.Task[bytes]", upstream: Upstream) -> bytes | None:
    try:
        return task.result()
    except OSError as error:
        _log.debug("name server %s: %s", upstream.address, error)
        return None
