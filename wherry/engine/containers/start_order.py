"""The order in which containers come up with the daemon: what compose wrote in their labels.

Compose starts services in order only while it runs itself; its labels keep the order, and here it
holds after a reboot, too.
"""

import asyncio
import logging
from collections.abc import Iterator
from typing import NamedTuple

from wherry.engine.containers.container import Container
from wherry.engine.containers.index import ContainerIndex
from wherry.engine.containers.restart_policy import restarts_with_daemon

logger = logging.getLogger("wherry.engine")

PROJECT = "com.docker.compose.project"
SERVICE = "com.docker.compose.service"
DEPENDS_ON = "com.docker.compose.depends_on"

LONGEST_WAIT = 300.0
"""Seconds after which a container is started although what it depends on is not ready."""


class Dependency(NamedTuple):
    """A service and what must be true of it: service_started, service_healthy, ..."""

    service: str
    condition: str


def dependencies(labels: dict[str, str] | None) -> list[Dependency]:
    """What a container depends on: `service:condition:restart`, separated by commas."""
    found = []
    for entry in (labels or {}).get(DEPENDS_ON, "").split(","):
        service, _, rest = entry.strip().partition(":")
        if service:
            found.append(Dependency(service, rest.partition(":")[0] or "service_started"))
    return found


def is_ready(container: Container, condition: str) -> bool:
    """Whether a container fulfils a condition now."""
    if condition == "service_completed_successfully":
        return container.state.status == "exited" and container.state.exit_code == 0
    if container.state.status != "running":
        return False
    healthy = container.health is not None and container.health.status == "healthy"
    return healthy or condition != "service_healthy"


class StartOrder:
    """Holds a container back until those that it depends on are ready."""

    def __init__(self, index: ContainerIndex) -> None:
        """`index` knows the containers of a project."""
        self._index = index

    async def turn_of(self, container: Container) -> None:
        """Returns when the container may be started; at the latest after LONGEST_WAIT."""
        waits = [
            self._ready(other, dependency.condition)
            for dependency in dependencies(container.record.config.labels)
            for other in self._coming(container, dependency)
        ]
        if not waits:
            return
        try:
            async with asyncio.timeout(LONGEST_WAIT):
                await asyncio.gather(*waits)
        except TimeoutError:
            logger.warning(
                "container %s: what it depends on is not ready after %d s: starting it all the "
                "same", container.name, LONGEST_WAIT,
            )  # fmt: skip

    def _coming(self, container: Container, dependency: Dependency) -> Iterator[Container]:
        """The containers of a service that run, or will: for others waiting is in vain."""
        project = (container.record.config.labels or {}).get(PROJECT)
        for other in self._index.all():
            labels = other.record.config.labels or {}
            if labels.get(PROJECT) != project or labels.get(SERVICE) != dependency.service:
                continue
            policy = other.record.host.restart_policy
            if other.monitor is not None or restarts_with_daemon(policy, other.state):
                yield other

    async def _ready(self, container: Container, condition: str) -> None:
        changed = await container.changed()
        async with changed:
            await changed.wait_for(
                lambda: container.removed or is_ready(container, condition)
            )  # fmt: skip
