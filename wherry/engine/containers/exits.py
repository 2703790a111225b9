"""What follows from a monitor's events: ends, restarts, removals, exec'd processes' codes."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable

import msgspec

from wherry.base import crash_points
from wherry.base.clock import ZERO_TIME, parse_rfc3339, rfc3339_nano
from wherry.base.errors import NotFound, NotModified, WherryError
from wherry.engine.containers.container import Container
from wherry.engine.containers.defaults import ContainerDefaults
from wherry.engine.containers.groups import remove_group
from wherry.engine.containers.index import ContainerIndex
from wherry.engine.containers.networking import ContainerNetwork
from wherry.engine.containers.restart_policy import next_delay, restarts_after_exit
from wherry.engine.containers.shared_memory import remove_state
from wherry.engine.pools import Pools
from wherry.engine.state_machine import check_transition
from wherry.engine.system.event_bus import EventBus
from wherry.engine.volumes.state import VolumeState
from wherry.supervisor import messages as msg
from wherry.supervisor.client import MonitorGone, read_exits

logger = logging.getLogger("wherry.engine")

Restart = Callable[[Container, int], Awaitable[None]]
Remove = Callable[[Container], Awaitable[None]]


class ExitWatcher:
    """Reads monitors' events in the loop and acts on them."""

    def __init__(
        self, index: ContainerIndex, network: ContainerNetwork, volumes: VolumeState,
        pools: Pools, events: EventBus, defaults: ContainerDefaults,
    ) -> None:  # fmt: skip
        self._index = index
        self._network = network
        self._volumes = volumes
        self._pools = pools
        self._events = events
        self._defaults = defaults
        self._tasks: set[asyncio.Task[None]] = set()
        self._delays: dict[str, float] = {}
        self._closed = asyncio.Event()
        self._on_started: Callable[[Container], None] | None = None
        self._on_ended: Callable[[Container], None] | None = None
        self._restart: Restart | None = None
        self._remove: Remove | None = None
        self.closing = False

    def connect(self, restart: Restart, remove: Remove) -> None:
        """Says who restarts and removes; those need a watcher themselves."""
        self._restart, self._remove = restart, remove

    def observe(
        self, started: Callable[[Container], None], ended: Callable[[Container], None]
    ) -> None:
        """Who is told when a container begins and ceases to run: the health checks."""
        self._on_started, self._on_ended = started, ended

    def watch(self, container: Container) -> None:
        """Begins to read the events of a running container."""
        monitor = container.monitor
        if monitor is not None:
            asyncio.get_running_loop().add_reader(monitor.fileno(), self._ready, container)
            if self._on_started is not None:
                self._on_started(container)

    def forget(self, container: Container) -> None:
        """Stops reading; the monitor goes on."""
        monitor = container.monitor
        if monitor is not None:
            asyncio.get_running_loop().remove_reader(monitor.fileno())

    def _ready(self, container: Container) -> None:
        monitor = container.monitor
        if monitor is None:
            return
        try:
            found = monitor.receive()
        except MonitorGone:
            self.forget(container)
            self._spawn(self._monitor_gone(container))
            return
        for event in found:
            match event:
                case msg.Exited():
                    self.forget(container)
                    self._spawn(self.ended(container, event))
                case msg.ExecExited(exec_id, exit_code):
                    running = container.execs.get(exec_id)
                    if running is not None:
                        running.exited(exit_code)
                    elif exec_id in container.probes:
                        container.probes[exec_id](exit_code)
                case msg.OutOfMemory():
                    self._publish(container, "oom")
                case msg.Detached(exec_id=exec_id):
                    action = "exec_detach" if exec_id else "detach"
                    self._publish(container, action)

    def _spawn(self, work: Awaitable[None]) -> None:
        async def run() -> None:
            try:
                await work
            except Exception:
                logger.exception("the end of a container could not be handled")

        task = asyncio.get_running_loop().create_task(run())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _publish(self, container: Container, action: str, **extra: str) -> None:
        attributes = {**container.attributes(), **extra}
        self._events.publish("container", action, container.id, attributes)

    async def _monitor_gone(self, container: Container) -> None:
        """The monitor died: what it wrote counts, else the container is killed and exit 137."""
        exits = read_exits(self._defaults.state_dir(container.id))
        event = exits[-1] if exits else lost_monitor()
        await self.ended(container, event)

    async def ended(self, container: Container, event: msg.Exited) -> None:
        """Records an end and releases what the container held; then its policy decides.

        Waiters are told as soon as the state has changed: the monitor has the exit on disk, and
        the lock keeps the next start back until everything is free.
        """
        async with container.lock:
            if not container.state.running:
                return
            crash_points.reach("exit.seen")
            if container.monitor is not None:
                container.monitor.close()
                container.monitor = None
            restart = self._wants_restart(container, event)
            started_at = container.state.started_at
            _change_state(container, event, restarting=restart)
            container.exits += 1
            for running in tuple(container.execs.values()):
                running.exited(137)
            for probe in tuple(container.probes.values()):
                probe(137)
            if self._on_ended is not None:
                self._on_ended(container)
            self._publish(
                container, "die", exitCode=str(event.exit_code),
                execDuration=str(_duration(started_at, event.finished_at)),
            )  # fmt: skip
            await container.notify()
            await self.release(container)
            crash_points.reach("exit.released")
            if self._is_discarded(container) and not restart:
                pass  # the record goes, and after it the files from which a new daemon learns so
            else:
                await self._index.save(container, durable=True)
                crash_points.reach("exit.recorded")
                # Not before the record is written, for the same reason.
                await self._pools.run("disk", self.clean, container)
                crash_points.reach("exit.cleaned")
        if restart:
            self.restart_later(container)
        else:
            await self.discard(container)

    def _is_discarded(self, container: Container) -> bool:
        auto_remove = container.record.host.auto_remove
        return auto_remove and self._remove is not None and not self.closing

    async def discard(self, container: Container) -> None:
        """Removes a container of `--rm` that has ended, or could not be started."""
        if self._is_discarded(container) and self._remove:
            with contextlib.suppress(NotFound):
                await self._remove(container)

    async def release(self, container: Container) -> None:
        """Gives back the network and the volumes of an ended container."""
        try:
            await self._network.leave(container)
            for point in container.record.mounts:
                if point.volume:
                    await self._volumes.unmount(point.volume, container.id, shown=True)
        except (WherryError, OSError) as error:
            # The end of the container is a fact all the same; the next start finds what is left.
            logger.warning("container %s: %s", container.id, error)

    def clean(self, container: Container) -> None:
        """Removes the control group and the run-time files of a container that does not run."""
        remove_group(container, self._defaults)
        remove_state(self._defaults.state_dir(container.id))

    def _wants_restart(self, container: Container, event: msg.Exited) -> bool:
        if self.closing or container.removed:
            return False
        policy = container.record.host.restart_policy
        ill, container.ill = container.ill, False
        return restarts_after_exit(policy, container.state, event.exit_code, ill=ill)

    def restart_later(self, container: Container) -> None:
        """Starts a container whose status is `restarting`, after its policy's delay."""
        state = container.state
        ran = 0.0
        if ZERO_TIME not in (state.started_at, state.finished_at):
            ran = (parse_rfc3339(state.finished_at) - parse_rfc3339(state.started_at)) / 1e9
        delay = next_delay(self._delays.get(container.id, 0.0), ran)
        self._delays[container.id] = delay
        self._spawn(self._restart_after(container, delay, container.exits))

    async def _restart_after(self, container: Container, delay: float, exits: int) -> None:
        try:
            await asyncio.wait_for(self._closed.wait(), delay)
            return  # the daemon stops; the next one goes on with it
        except TimeoutError:
            pass
        overtaken = container.exits != exits or container.removed
        if overtaken or container.state.status != "restarting" or not self._restart:
            return
        try:
            await self._restart(container, container.state.restart_count + 1)
        except NotModified:
            return  # a user was faster
        except WherryError as error:
            logger.error("cannot restart container %s: %s", container.name, error.message)
            if container.state.status == "restarting":
                await self._index.update_state(container, status="exited", error=error.message)
                await container.notify()

    async def settle(self) -> None:
        """Waits for ends that are being handled; for a clean shutdown."""
        self.closing = True
        self._closed.set()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=10)
        await self._network.settle()


def lost_monitor() -> msg.Exited:
    """The end of a container whose monitor died without a word."""
    return msg.Exited(137, time.time(), 9, False, "the container's monitor died: it was killed")


def _duration(started_at: str, finished: float) -> int:
    return max(int(finished - parse_rfc3339(started_at) / 1e9), 0)


def _change_state(container: Container, event: msg.Exited, *, restarting: bool) -> None:
    state = msgspec.structs.replace(
        container.state,
        status="restarting" if restarting else "exited",
        pid=0,
        exit_code=event.exit_code,
        error=event.error,
        oom_killed=event.oom_killed,
        finished_at=rfc3339_nano(int(event.finished_at * 1e9)),
    )
    check_transition(container.state.status, state.status)
    container.record = msgspec.structs.replace(container.record, state=state)
