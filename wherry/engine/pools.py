"""Named, sized pools of threads for blocking rooms; nothing waits there without a bound."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

SIZES = {
    "disk": 4, "supervisor": 16, "network": 1, "links": 2, "pull": 8, "stats": 2, "measure": 2,
}  # fmt: skip
"""Threads of each pool; `network` has one because libnftables and the catalog want one owner."""


class Pools:
    """Runs blocking functions for the event loop."""

    def __init__(self) -> None:
        self._executors = {
            name: ThreadPoolExecutor(size, thread_name_prefix=name) for name, size in SIZES.items()
        }

    async def run(
        self, pool: str, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Calls a function in a pool's thread and returns what it returns."""
        call = partial(function, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self._executors[pool], call)

    def close(self) -> None:
        """Waits for what runs and ends the threads."""
        for executor in self._executors.values():
            executor.shutdown(wait=True, cancel_futures=True)
