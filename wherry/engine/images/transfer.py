"""Work between a registry and this engine, in a thread, for a client who may go away."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from wherry.engine.pools import Pools

T = TypeVar("T")
Report = Callable[[dict[str, Any]], None]


async def run_transfer(
    pools: Pools, report: Report, work: Callable[[Report, Callable[[], bool]], T]
) -> T:
    """Calls `work` with a reporter, and with a question whether it is still wanted.

    `report` is called in the loop; cancelling the task answers the question.
    """
    loop = asyncio.get_running_loop()
    cancelled = threading.Event()

    def progress(line: dict[str, Any]) -> None:
        loop.call_soon_threadsafe(report, line)

    try:
        return await pools.run("pull", work, progress, cancelled.is_set)
    except asyncio.CancelledError:
        cancelled.set()
        raise
