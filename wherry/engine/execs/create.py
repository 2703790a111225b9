"""Creating an exec: checked and remembered, not yet run."""

from wherry.base.errors import InvalidParameter
from wherry.base.ids import new_id
from wherry.engine.containers.activity import ContainerBusy, check_running
from wherry.engine.containers.container import Container
from wherry.engine.containers.detach_keys import parse_detach_keys
from wherry.engine.containers.index import ContainerIndex
from wherry.engine.execs.process import Exec
from wherry.engine.execs.registry import ExecRegistry
from wherry.engine.system.event_bus import EventBus
from wherry.model.docker.exec import ExecCreateRequest
from wherry.supervisor.client import Supervisor


class CreateExec:
    """Creates execs."""

    def __init__(
        self, index: ContainerIndex, registry: ExecRegistry, events: EventBus,
        supervisor: Supervisor,
    ) -> None:  # fmt: skip
        self._supervisor = supervisor
        self._index = index
        self._registry = registry
        self._events = events

    def __call__(self, reference: str, request: ExecCreateRequest) -> str:
        """The new exec's id.

        Raises NoSuchContainer, ContainerNotRunning, ContainerBusy, InvalidParameter.
        """
        self._supervisor.expect()  # its start usually follows at once
        if not request.cmd:
            raise InvalidParameter("No exec command specified")
        container = self._index.get(reference)
        check_active(container, reference)
        if request.working_dir and not request.working_dir.startswith("/"):
            raise InvalidParameter(f"Cwd must be an absolute path: {request.working_dir}")
        keys = parse_detach_keys(request.detach_keys)
        process = Exec(new_id(), container, request, keys, self._ended)
        self._registry.add(process)
        self._publish(process, f"exec_create: {process.command}")
        return process.id

    def _ended(self, process: Exec) -> None:
        self._publish(process, "exec_die", exitCode=str(process.exit_code))

    def _publish(self, process: Exec, action: str, **extra: str) -> None:
        container = process.container
        attributes = {**container.attributes(), "execID": process.id, **extra}
        self._events.publish("container", action, container.id, attributes)


def check_active(container: Container, reference: str) -> None:
    """Raises ContainerNotRunning, or ContainerBusy if it is paused or between two runs.

    `reference` is what the client calls it.
    """
    check_running(container)
    if container.state.status == "paused":
        raise ContainerBusy(f"Container {reference} is paused, unpause the container before exec")
