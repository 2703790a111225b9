"""Sizes of directories that were measured before, for answers that cannot wait for a disk."""

import asyncio
import time
from collections.abc import Callable

from wherry.engine.pools import Pools

POOL = "measure"
PATIENCE = 0.02
"""Seconds that an answer waits for a newer size when there is one from before."""
FRESH = 1.0
"""Seconds for which a size is taken to be true."""
LIMIT = 20_000
"""Sizes that are kept."""


class KeptSizes:
    """Measures at most once at a time for each key, and keeps what was found.

    A first answer waits until it is there. Later ones wait PATIENCE, and then give the size of
    before, while the measuring goes on for the next.
    """

    def __init__(self, pools: Pools) -> None:
        self._pools = pools
        self._kept: dict[str, tuple[float, int]] = {}
        self._running: dict[str, asyncio.Task[int]] = {}

    async def of(self, key: str, measure: Callable[[], int], *, lasting: bool = False) -> int:
        """The bytes of what `key` stands for; `measure` blocks and runs in a pool.

        A `lasting` size never changes once it is known.
        """
        kept = self._kept.get(key)
        if kept is not None and (lasting or time.monotonic() - kept[0] < FRESH):
            return kept[1]
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
