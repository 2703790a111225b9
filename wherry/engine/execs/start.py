"""Starting an exec: its client's socket goes to the container's monitor with the command."""

from wherry.base import crash_points
from wherry.base.errors import Conflict, InvalidParameter, WherryError
from wherry.engine.containers.activity import monitor_of
from wherry.engine.execs.create import check_active
from wherry.engine.execs.process import Exec
from wherry.engine.execs.registry import ExecRegistry
from wherry.engine.hijack import until_head_is_read
from wherry.engine.pools import Pools
from wherry.engine.system.event_bus import EventBus
from wherry.model.docker.exec import ExecStartRequest
from wherry.runtime.errors import ExecutableNotFound, UserNotFound
from wherry.supervisor.messages import AttachOptions, ExecRequest

_PREFIX = "OCI runtime exec failed: exec failed: unable to start container process: "


class ExecFailed(InvalidParameter):
    """The program could not be started; the text is like that of Docker with runc."""


class StartExec:
    """Starts created execs, once each."""

    def __init__(self, registry: ExecRegistry, pools: Pools, events: EventBus) -> None:
        self._registry = registry
        self._pools = pools
        self._events = events

    def check(self, identifier: str) -> Exec:
        """The exec, before the client's connection is taken over.

        Raises NoSuchExec, ContainerNotRunning, ContainerBusy, Conflict if it was started already.
        """
        process = self._registry.get(identifier)
        check_active(process.container, process.container.id)
        if process.exit_code is not None:
            raise Conflict(f"exec command {process.id} has already run")
        if process.began:
            raise Conflict(f"exec command {process.id} is already running")
        return process

    async def __call__(
        self, process: Exec, request: ExecStartRequest, descriptor: int | None
    ) -> None:
        """Runs the program; a stream socket is attached to it and stays the caller's to close.

        Raises ExecFailed, ContainerNotRunning, and Conflict if another start was faster.
        """
        if descriptor is not None:
            await until_head_is_read(descriptor)
        self.check(process.id)
        process.begin()
        crash_points.reach("exec.began")
        try:
            monitor = monitor_of(process.container)
            pid = await self._pools.run(
                "supervisor", monitor.exec, self._request(process, request, descriptor),
                descriptor, self._options(process, request, descriptor),
            )  # fmt: skip
        except WherryError as error:
            process.failed(_exit_code(error))
            if isinstance(error, Conflict):
                raise
            if isinstance(error, UserNotFound):
                raise ExecFailed(error.message) from error
            raise ExecFailed(f"{_PREFIX}{error.message}") from error
        except BaseException:
            process.failed(126)
            raise
        crash_points.reach("exec.runs")
        process.runs(pid)
        container = process.container
        attributes = {**container.attributes(), "execID": process.id}
        self._events.publish(
            "container", f"exec_start: {process.command}", container.id, attributes
        )

    def _request(
        self, process: Exec, request: ExecStartRequest, descriptor: int | None
    ) -> ExecRequest:
        wanted = process.request
        size = request.console_size or wanted.console_size or (0, 0)
        return ExecRequest(
            id=process.id,
            args=tuple(wanted.cmd or ()),
            env=_environment(process),
            cwd=wanted.working_dir,
            user=wanted.user,
            privileged=wanted.privileged,
            tty=wanted.tty,
            open_stdin=wanted.attach_stdin and descriptor is not None,
            console_size=size if wanted.tty else (0, 0),
        )

    def _options(
        self, process: Exec, request: ExecStartRequest, descriptor: int | None
    ) -> AttachOptions:
        wanted = process.request
        attached = descriptor is not None
        return AttachOptions(
            stdin=attached and wanted.attach_stdin,
            stdout=attached and wanted.attach_stdout,
            stderr=attached and wanted.attach_stderr,
            framed=not request.tty,
            detach_keys=process.detach_keys if wanted.tty else "",
        )


def _environment(process: Exec) -> tuple[str, ...]:
    """A terminal is named to the program, unless the client names it."""
    env = tuple(process.request.env or ())
    if process.request.tty and not any(item.startswith("TERM=") for item in env):
        return ("TERM=xterm", *env)
    return env


def _exit_code(error: WherryError) -> int:
    """What `docker exec` exits with when nothing ran."""
    absent = isinstance(error, ExecutableNotFound) or "no such file" in error.message
    return 127 if absent else 126
