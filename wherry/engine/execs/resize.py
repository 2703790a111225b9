"""Telling an exec's terminal its size."""

import asyncio

from wherry.base.errors import Conflict, Timeout
from wherry.engine.containers.activity import monitor_of
from wherry.engine.execs.registry import ExecRegistry
from wherry.engine.pools import Pools

START_SECONDS = 10.0
"""Clients resize as soon as they have asked for the start, which may take a moment."""


class ResizeExec:
    """Resizes the terminals of execs."""

    def __init__(self, registry: ExecRegistry, pools: Pools) -> None:
        self._registry = registry
        self._pools = pools

    async def __call__(self, identifier: str, height: int, width: int) -> None:
        """Raises NoSuchExec, ContainerNotRunning, Conflict if it has ended, Timeout."""
        process = self._registry.get(identifier)
        monitor = monitor_of(process.container)
        try:
            await asyncio.wait_for(process.started.wait(), START_SECONDS)
        except TimeoutError:
            raise Timeout("timeout waiting for exec session ready") from None
        if not process.running:
            raise Conflict(f"exec {process.id} is not running")
        await self._pools.run("supervisor", monitor.resize, process.id, height, width)
