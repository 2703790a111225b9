"""Restarting what the health check calls ill, for containers whose policy is `unhealthy`."""

import asyncio
import logging

from wherry.base.errors import NotModified, WherryError
from wherry.engine.containers.container import Container
from wherry.engine.containers.restart_policy import restarts_when_ill
from wherry.engine.containers.stop import ContainerSignals

logger = logging.getLogger("wherry.engine")


class HealContainer:
    """Ends an ill container as a stop does; its restart policy then starts it again."""

    def __init__(self, signals: ContainerSignals) -> None:
        """`signals` ends it."""
        self._signals = signals
        self._tasks: set[asyncio.Task[None]] = set()

    def __call__(self, container: Container) -> None:
        """Told of every container that becomes unhealthy; returns at once."""
        policy, state = container.record.host.restart_policy, container.state
        if restarts_when_ill(policy, state):
            task = asyncio.get_running_loop().create_task(self._end(container))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _end(self, container: Container) -> None:
        container.ill = True
        try:
            await self._signals.end_ill(container)
        except NotModified:
            return  # it has ended by itself
        except WherryError as error:
            logger.error("cannot restart unhealthy container %s: %s", container.name, error.message)
