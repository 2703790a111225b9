"""What follows from a monitor's events: ends, restarts, removals, exec'd processes' codes."""

import asyncio
import contextlib
import logging
import shutil
import time
from collections.abc import Awaitable, Callable

from wherry.base.clock import parse_rfc3339, rfc3339_nano
from wherry.base.errors import NotFound, WherryError
from wherry.engine.containers.container import Container
from wherry.engine.containers.defaults import ContainerDefaults
from wherry.engine.containers.index import ContainerIndex
from wherry.engine.containers.networking import ContainerNetwork
from wherry.engine.pools import Pools
from wherry.engine.system.event_bus import EventBus
from wherry.engine.volumes.state import VolumeState
from wherry.linux.cgroup.group import Cgroup
from wherry.supervisor import messages as msg
from wherry.supervisor.client import MonitorGone, read_exits

logger = logging.getLogger("wherry.engine")

FIRST_BACKOFF = 0.1
LAST_BACKOFF = 60.0
_STABLE_SECONDS = 10.0

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
        self._backoff: dict[str, float] = {}
        self._restart: Restart | None = None
        self._remove: Remove | None = None
        self.closing = False

    def connect(self, restart: Restart, remove: Remove) -> None:
        """Says who restarts and removes; those need a watcher themselves."""
        self._restart, self._remove = restart, remove

    def watch(self, container: Container) -> None:
        """Begins to read the events of a running container."""
        monitor = container.monitor
        if monitor is not None:
            asyncio.get_running_loop().add_reader(monitor.fileno(), self._ready, container)

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
        """Records an end and releases what the container held; then its policy decides."""
        async with container.lock:
            if container.monitor is not None:
                container.monitor.close()
                container.monitor = None
            container.exits += 1
            await self.release(container)
            restart = self._wants_restart(container, event)
            state = container.state
            await self._index.update_state(
                container, status="restarting" if restart else "exited", pid=0,
                exit_code=event.exit_code, oom_killed=event.oom_killed, error=event.error,
                finished_at=rfc3339_nano(int(event.finished_at * 1e9)),
            )  # fmt: skip
            for running in container.execs.values():
                running.exited(137)
        self._publish(
            container, "die", exitCode=str(event.exit_code),
            execDuration=str(_duration(state.started_at, event.finished_at)),
        )  # fmt: skip
        await container.notify()
        if restart:
            self._spawn(self._restart_later(container, event))
        elif container.record.host.auto_remove and self._remove:
            with contextlib.suppress(NotFound):
                await self._remove(container)

    async def release(self, container: Container) -> None:
        """Gives back network, volumes, control group and run-time files of an ended container."""
        await self._network.leave(container)
        for point in container.record.mounts:
            if point.volume:
                await self._volumes.unmount(point.volume, container.id)
        await self._pools.run("disk", self._clean, container)

    def _clean(self, container: Container) -> None:
        path = self._defaults.cgroup_path(container.id, container.record.host.cgroup_parent)
        Cgroup(self._defaults.layout, path).remove()
        shutil.rmtree(self._defaults.state_dir(container.id), ignore_errors=True)

    def _wants_restart(self, container: Container, event: msg.Exited) -> bool:
        state, policy = container.state, container.record.host.restart_policy
        if self.closing or state.manually_stopped or container.removed:
            return False
        if policy.name in ("always", "unless-stopped"):
            return True
        if policy.name == "on-failure" and event.exit_code != 0:
            most = policy.maximum_retry_count
            return most == 0 or state.restart_count < most
        return False

    async def _restart_later(self, container: Container, event: msg.Exited) -> None:
        """Docker's back-off: 100 ms, doubled up to a minute, anew after ten seconds of life."""
        ran = _duration(container.state.started_at, event.finished_at)
        pause = FIRST_BACKOFF
        if ran < _STABLE_SECONDS:
            pause = min(self._backoff.get(container.id, FIRST_BACKOFF / 2) * 2, LAST_BACKOFF)
        self._backoff[container.id] = pause
        await asyncio.sleep(pause)
        if container.state.status != "restarting" or container.removed or not self._restart:
            return
        try:
            await self._restart(container, container.state.restart_count + 1)
        except WherryError as error:
            logger.error("cannot restart container %s: %s", container.name, error.message)
            await self._index.update_state(container, status="exited", error=error.message)
            await container.notify()

    async def settle(self) -> None:
        """Waits for ends that are being handled; for a clean shutdown."""
        self.closing = True
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=10)


def lost_monitor() -> msg.Exited:
    """The end of a container whose monitor died without a word."""
    return msg.Exited(137, time.time(), 9, False, "the container's monitor died: it was killed")


def _duration(started_at: str, finished: float) -> int:
    return max(int(finished - parse_rfc3339(started_at) / 1e9), 0)
