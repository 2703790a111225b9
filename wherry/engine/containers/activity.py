"""What a container must be for work inside it, in Docker's words."""

from wherry.base.errors import Conflict
from wherry.engine.containers.container import Container
from wherry.supervisor.client import MonitorConnection


class ContainerNotRunning(Conflict):
    """The container has no process."""

    def __init__(self, identifier: str) -> None:
        super().__init__(f"container {identifier} is not running")
        self.identifier = identifier


class ContainerBusy(Conflict):
    """The container is paused, or between two runs."""


def check_running(container: Container) -> None:
    """Raises ContainerNotRunning, or ContainerBusy between two runs."""
    if container.state.status == "restarting":
        raise ContainerBusy(
            f"Container {container.id} is restarting, wait until the container is running"
        )
    if not container.state.running:
        raise ContainerNotRunning(container.id)


def monitor_of(container: Container) -> MonitorConnection:
    """The monitor of a running container; raises as `check_running`."""
    check_running(container)
    if container.monitor is None:
        raise ContainerNotRunning(container.id)
    return container.monitor
