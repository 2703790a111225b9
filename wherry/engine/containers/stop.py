"""Ending and holding processes: stop, kill, restart, pause, unpause."""

import asyncio
import contextlib

from wherry.base import crash_points
from wherry.base.errors import Conflict, InvalidParameter, NotModified, WherryError
from wherry.engine.containers.container import Container
from wherry.engine.containers.defaults import ContainerDefaults
from wherry.engine.containers.groups import group_of
from wherry.engine.containers.index import ContainerIndex
from wherry.engine.containers.start import StartContainer
from wherry.engine.containers.validate import parse_signal
from wherry.engine.pools import Pools
from wherry.engine.system.event_bus import EventBus

_KILL_SECONDS = 10.0


class ContainerNotRunning(Conflict):
    """There is no process to act on."""


class ContainerSignals:
    """Sends signals and freezes; the ends come back through the watcher."""

    def __init__(
        self, index: ContainerIndex, start: StartContainer, pools: Pools, events: EventBus,
        defaults: ContainerDefaults,
    ) -> None:  # fmt: skip
        self._index = index
        self._start = start
        self._pools = pools
        self._events = events
        self._defaults = defaults

    async def kill(self, container: Container, signal: str) -> None:
        """Signals the first process; raises ContainerNotRunning in Docker's words."""
        try:
            number = parse_signal(signal or "SIGKILL")
        except InvalidParameter as error:
            raise InvalidParameter(
                f"cannot kill container: {container.name}: {error.message}"
            ) from None
        if container.monitor is None:
            raise ContainerNotRunning(
                f"cannot kill container: {container.name}: container {container.id} is not running"
            )
        exits = container.exits  # counted before anything is awaited: it may end meanwhile
        if number in (9, 15, parse_signal(container.record.config.stop_signal or "SIGTERM")):
            await self._index.update_state(container, manually_stopped=True)
        paused = container.state.status == "paused"
        await self._send(container, number)
        if paused and number == 9:
            await self._set_frozen(container, False)
        self._publish(container, "kill", signal=str(number))
        if number == 9 and not await ended_within(container, exits, _KILL_SECONDS):
            raise WherryError(f"container {container.id} does not end after SIGKILL")

    async def stop(self, container: Container, signal: str, seconds: int | None) -> None:
        """Asks the container to end, and after so many seconds makes it; raises NotModified."""
        await self._stop(container, signal, seconds)
        self._publish(container, "stop")

    async def restart(self, container: Container, signal: str, seconds: int | None) -> None:
        """Stops the container if it runs, and starts it."""
        with contextlib.suppress(NotModified):
            await self.stop(container, signal, seconds)
        await self._start(container)
        self._publish(container, "restart")

    async def end_ill(self, container: Container) -> None:
        """Ends an unhealthy container, for its policy to start it again; raises NotModified."""
        await self._stop(container, "", None, by_user=False)

    async def _stop(
        self, container: Container, signal: str, seconds: int | None, *, by_user: bool = True
    ) -> None:
        if container.state.status == "restarting":
            await self._index.update_state(container, status="exited", manually_stopped=True)
            await container.notify()
            return
        if container.monitor is None:
            raise NotModified("container already stopped")
        config = container.record.config
        number = parse_signal(signal or config.stop_signal or "SIGTERM")
        if seconds is None:
            seconds = config.stop_timeout
        if seconds is None:
            seconds = self._defaults.stop_timeout
        exits = container.exits  # counted before anything is awaited: it may end meanwhile
        if by_user:
            await self._index.update_state(container, manually_stopped=True)
        crash_points.reach("stop.marked")
        if container.state.status == "paused":
            await self._set_frozen(container, False)
        await self._send(container, number)
        crash_points.reach("stop.signalled")
        self._publish(container, "kill", signal=str(number))
        if not await ended_within(container, exits, seconds if seconds >= 0 else None):
            await self._send(container, 9)
            self._publish(container, "kill", signal="9")
            if not await ended_within(container, exits, _KILL_SECONDS):
                raise WherryError(f"container {container.id} does not end after SIGKILL")

    async def _send(self, container: Container, number: int) -> None:
        monitor = container.monitor
        if monitor is None:
            return
        # It may have ended meanwhile, which is what was wanted.
        with contextlib.suppress(WherryError):
            await self._pools.run("supervisor", monitor.signal, number)

    async def pause(self, container: Container, *, for_commit: bool = False) -> None:
        """Freezes every process; raises Conflict in Docker's words.

        A pause `for_commit` ends with the daemon.
        """
        async with container.lock:
            if container.monitor is None:
                raise ContainerNotRunning(f"container {container.id} is not running")
            if container.state.status == "paused":
                raise Conflict(f"container {container.id} is already paused")
            await self._set_frozen(container, True, for_commit=for_commit)
        self._publish(container, "pause")

    async def unpause(self, container: Container) -> None:
        """Lets the processes go on; raises Conflict in Docker's words."""
        async with container.lock:
            if container.state.status != "paused":
                raise Conflict(f"Container {container.id} is not paused")
            await self._set_frozen(container, False)
        self._publish(container, "unpause")

    async def _set_frozen(
        self, container: Container, frozen: bool, *, for_commit: bool = False
    ) -> None:
        group = group_of(container, self._defaults)
        await self._pools.run("disk", group.freeze if frozen else group.thaw)
        crash_points.reach("pause.frozen" if frozen else "pause.thawed")
        try:
            await self._index.update_state(
                container, status="paused" if frozen else "running", paused_for_commit=for_commit
            )
        except WherryError:
            await self._pools.run("disk", group.thaw if frozen else group.freeze)
            raise
        await container.notify()

    def _publish(self, container: Container, action: str, **extra: str) -> None:
        attributes = {**container.attributes(), **extra}
        self._events.publish("container", action, container.id, attributes)


async def ended_within(container: Container, exits: int, seconds: float | None) -> bool:
    """Waits for the next end of a container, counted from `exits`; False after the time."""
    condition = await container.changed()

    async def wait() -> None:
        async with condition:
            await condition.wait_for(lambda: container.exits > exits)

    try:
        await asyncio.wait_for(wait(), seconds)
    except TimeoutError:
        return False
    return True
