"""Sizes of directories that were measured before, for answers that cannot wait for a disk."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from wherry.engine.pools import Pools

POOL = "measure"
PATIENCE = 0.02
"""Seconds that an answer waits for a newer size when there is one from before."""
FRESH = 1.0
"""Seconds for which a size is taken to be true."""
LIMIT = 20_000
"""Sizes that are kept."""


class Wanted(NamedTuple):
    """A size to be known: its key, what measures it, and whether it never changes."""

    key: str
    measure: Callable[[], int]
    lasting: bool = False


class KeptSizes:
    """Measures at most once at a time for each key, and keeps what was found.

    A first answer waits until it is there. Later ones wait PATIENCE, and then give the size of
    before, while the measuring goes on for the next.
    """

    def __init__(self, pools: Pools) -> None:
        self._pools = pools
        self._kept: dict[str, tuple[float, int]] = {}
        self._running: dict[str, asyncio.Task[int]] = {}

    async def of_all(self, wanted: Sequence[Wanted]) -> list[int]:
        """The bytes of many things at once, in their order."""
        found = {item.key: self._recent(item.key, item.lasting) for item in wanted}
        missing = [item for item in wanted if found[item.key] is None]
        measured = await asyncio.gather(*(
            self.of(item.key, item.measure, lasting=item.lasting) for item in missing
        ))  # fmt: skip
        found.update(zip((item.key for item in missing), measured, strict=True))
        return [found[item.key] or 0 for item in wanted]

    def _recent(self, key: str, lasting: bool) -> int | None:
        kept = self._kept.get(key)
        if kept is not None and (lasting or time.monotonic() - kept[0] < FRESH):
            return kept[1]
        return None

    async def of(self, key: str, measure: Callable[[], int], *, lasting: bool = False) -> int:
        """The bytes of what `key` stands for; `measure` blocks and runs in a pool.

        A `lasting` size never changes once it is known.
        """
        recent = self._recent(key, lasting)
        if recent is not None:
            return recent
        kept = self._kept.get(key)
        task = self._running.get(key)
        if task is None:
            task = asyncio.create_task(self._measure(key, measure))
            self._running[key] = task
        if kept is None:
            return await asyncio.shield(task)
        done, _ = await asyncio.wait({task}, timeout=PATIENCE)
        return task.result() if done else kept[1]

    async def _measure(self, key: str, measure: Callable[[], int]) -> int:
        try:
            size = await self._pools.run(POOL, measure)
            self._kept.pop(key, None)
            self._kept[key] = (time.monotonic(), size)
            if len(self._kept) > LIMIT:
                del self._kept[next(iter(self._kept))]  # the one measured longest ago
            return size
        finally:
            self._running.pop(key, None)
