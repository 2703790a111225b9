"""Health checks: a command run in the container at intervals, and what follows from its code.

As dockerd's daemon/health.go: the last five results, 4 KiB of output each, `unhealthy` after so
many failures in a row outside the start period; a check past its time-out is killed.
"""

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable

from wherry.base.clock import now_ns, parse_rfc3339, rfc3339_nano
from wherry.base.errors import WherryError
from wherry.base.ids import new_id
from wherry.engine.containers.container import Container, Health, HealthResult
from wherry.engine.pools import Pools
from wherry.engine.system.event_bus import EventBus
from wherry.model.docker.container import ContainerConfig
from wherry.model.image_config import HealthConfig
from wherry.supervisor.client import MonitorConnection
from wherry.supervisor.messages import AttachOptions, ExecRequest

KEPT_RESULTS = 5
OUTPUT_LIMIT = 4096

_SECOND = 1_000_000_000
_DEFAULT_INTERVAL = 30 * _SECOND
_DEFAULT_TIMEOUT = 30 * _SECOND
_DEFAULT_START_INTERVAL = 5 * _SECOND
_DEFAULT_RETRIES = 3
_SHELL = ("/bin/sh", "-c")


def probe_command(config: ContainerConfig) -> tuple[str, ...]:
    """The words to run; empty if the container has no health check."""
    test = (config.healthcheck.test if config.healthcheck else None) or []
    if len(test) < 2:
        return ()
    if test[0] == "CMD":
        return tuple(test[1:])
    if test[0] == "CMD-SHELL":
        return (*(config.shell or _SHELL), test[1])
    return ()


def interval_of(check: HealthConfig, health: Health, started_ns: int, now: int) -> float:
    """Seconds until the next check: shorter while the container is starting."""
    if _is_starting(check, health, started_ns, now):
        return (check.start_interval or _DEFAULT_START_INTERVAL) / 1e9
    return (check.interval or _DEFAULT_INTERVAL) / 1e9


def _is_starting(check: HealthConfig, health: Health, started_ns: int, now: int) -> bool:
    if health.status != "starting" or check.start_period <= 0:
        return False
    return now - started_ns < check.start_period


def judge(check: HealthConfig, health: Health, result: HealthResult, started_ns: int) -> str:
    """Takes a result in and returns the status that follows; changes streak and log."""
    health.log = [*health.log, result][-KEPT_RESULTS:]
    if result.exit_code == 0:
        health.failing_streak = 0
        health.status = "healthy"
        return health.status
    began = parse_rfc3339(result.start)
    if _is_starting(check, health, started_ns, began):
        return health.status
    health.failing_streak += 1
    if health.failing_streak >= (check.retries or _DEFAULT_RETRIES):
        health.status = "unhealthy"
    return health.status


def go_duration(nanoseconds: int) -> str:
    """A duration as Go prints it, for the text of a time-out."""
    if nanoseconds < _SECOND:
        return f"{nanoseconds / 1e6:g}ms"
    seconds = nanoseconds / _SECOND
    hours, rest = divmod(seconds, 3600)
    minutes, rest = divmod(rest, 60)
    text = f"{rest:g}s"
    if hours:
        return f"{int(hours)}h{int(minutes)}m{text}"
    return f"{int(minutes)}m{text}" if minutes else text


class HealthChecks:
    """Runs the checks of all running containers; `checks` and `failures` count them."""

    def __init__(self, pools: Pools, events: EventBus) -> None:
        self._pools = pools
        self._events = events
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._on_unhealthy: Callable[[Container], None] | None = None
        self.checks = 0
        self.failures = 0

    def observe(self, unhealthy: Callable[[Container], None]) -> None:
        """Who is told when a container becomes unhealthy."""
        self._on_unhealthy = unhealthy

    def started(self, container: Container) -> None:
        """Begins to check a container that has started, or was adopted."""
        self.ended(container)
        command = probe_command(container.record.config)
        if not command:
            container.health = None
            return
        container.health = Health()
        task = asyncio.get_running_loop().create_task(self._run(container, command))
        self._tasks[container.id] = task

    def ended(self, container: Container) -> None:
        """Stops checking; what was found stays to be seen, as unhealthy (as dockerd has it)."""
        task = self._tasks.pop(container.id, None)
        if task is not None:
            task.cancel()
        if container.health is not None:
            container.health.status = "unhealthy"

    async def close(self) -> None:
        """Stops all checks: the daemon ends."""
        tasks = list(self._tasks.values())
        self._tasks.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, container: Container, command: tuple[str, ...]) -> None:
        check, health = container.record.config.healthcheck, container.health
        if check is None or health is None:
            return
        started = parse_rfc3339(container.state.started_at)
        while True:
            await asyncio.sleep(interval_of(check, health, started, now_ns()))
            monitor = container.monitor
            if container.state.status != "running" or monitor is None:
                continue
            result = await self._probe(container, monitor, command, check)
            self.checks += 1
            self.failures += result.exit_code != 0
            before = health.status
            after = judge(check, health, result, started)
            if before != after:
                action = f"health_status: {after}"
                self._events.publish("container", action, container.id, container.attributes())
                await container.notify()
                if after == "unhealthy" and self._on_unhealthy:
                    self._on_unhealthy(container)

    async def _probe(
        self, container: Container, monitor: MonitorConnection, command: tuple[str, ...],
        check: HealthConfig,
    ) -> HealthResult:  # fmt: skip
        begin = rfc3339_nano(now_ns())
        bound = check.timeout or _DEFAULT_TIMEOUT
        probe = _Probe(container, monitor, self._pools, command)
        self._publish(container, f"exec_create: {' '.join(command)}", probe.id)
        try:
            self._publish(container, f"exec_start: {' '.join(command)}", probe.id)
            async with asyncio.timeout(bound / 1e9):
                code = await probe.run()
            output = probe.text()
            self._publish(container, "exec_die", probe.id, code)
        except TimeoutError:
            await probe.kill()
            code = -1
            output = f"Health check exceeded timeout ({go_duration(bound)})"
            if probe.output:
                output = f"{output}: {probe.text()}"
        except WherryError as error:
            code, output = -1, error.message
        finally:
            probe.close()
        return HealthResult(begin, rfc3339_nano(now_ns()), code, output)

    def _publish(
        self, container: Container, action: str, exec_id: str, code: int | None = None
    ) -> None:
        attributes = {**container.attributes(), "execID": exec_id}
        if code is not None:
            attributes["exitCode"] = str(code)
        self._events.publish("container", action, container.id, attributes)


class _Probe:
    """One check: an exec'd process whose output is collected and whose end is awaited."""

    def __init__(
        self, container: Container, monitor: MonitorConnection, pools: Pools,
        command: tuple[str, ...],
    ) -> None:  # fmt: skip
        self.id = new_id()
        self.output = bytearray()
        self._truncated = False
        self._container = container
        self._monitor = monitor
        self._pools = pools
        self._command = command
        self._code: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._ours, self._theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        self._ours.setblocking(False)
        container.probes[self.id] = self._exited

    async def run(self) -> int:
        """Runs it; raises what the monitor raises."""
        config = self._container.record.config
        request = ExecRequest(
            id=self.id, args=self._command, env=tuple(config.env or ()), user=config.user,
            cwd=config.working_dir,
        )  # fmt: skip
        options = AttachOptions(stdin=False, stdout=True, stderr=True, framed=False)
        theirs = self._theirs.detach()
        try:
            await self._pools.run("supervisor", self._monitor.exec, request, theirs, options)
        finally:
            os.close(theirs)
        await self._collect()
        return await self._code

    async def _collect(self) -> None:
        loop = asyncio.get_running_loop()
        while piece := await loop.sock_recv(self._ours, 16384):
            room = OUTPUT_LIMIT - len(self.output)
            self.output += piece[:room]
            self._truncated = self._truncated or len(piece) > room

    def text(self) -> str:
        """The output, marked where it was cut."""
        text = self.output.decode(errors="replace")
        return f"{text}..." if self._truncated else text

    async def kill(self) -> None:
        """Ends the process."""
        # It may have ended by itself, with its container perhaps.
        with contextlib.suppress(WherryError):
            await self._pools.run("supervisor", self._monitor.exec_signal, self.id, 9)

    def close(self) -> None:
        """Forgets the process."""
        self._container.probes.pop(self.id, None)
        self._ours.close()
        self._theirs.close()

    def _exited(self, code: int) -> None:
        if not self._code.done():
            self._code.set_result(code)
