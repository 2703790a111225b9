"""A new daemon takes over what an earlier one left: running containers, exits, half-made things.

The database says what should be, the exec root what is. A container that runs is watched again;
one that ended meanwhile gets its exit as if it happened now; then restart policies and `--rm` that
fell due are carried out.
"""

import asyncio
import contextlib
import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from wherry.base.clock import now_ns, parse_rfc3339, rfc3339_nano
from wherry.base.errors import WherryError
from wherry.engine.containers.container import Container
from wherry.engine.containers.defaults import ContainerDefaults
from wherry.engine.containers.exits import ExitWatcher, lost_monitor
from wherry.engine.containers.groups import group_of
from wherry.engine.containers.index import ContainerIndex
from wherry.engine.containers.live_network import LiveNetwork
from wherry.engine.containers.restart_policy import restarts_with_daemon
from wherry.engine.containers.shared_memory import remove_state
from wherry.engine.containers.start_order import StartOrder
from wherry.engine.pools import Pools
from wherry.engine.volumes.state import VolumeState
from wherry.linux.cgroup.group import Cgroup
from wherry.linux.process import boot_id
from wherry.network.attachments import Attachments
from wherry.store.snapshot.driver import Snapshots
from wherry.supervisor.client import MonitorConnection, Supervisor, read_exits, read_state
from wherry.supervisor.messages import Exited, Started

logger = logging.getLogger("wherry.engine")


class Starts(Protocol):
    """Who starts a container."""

    async def __call__(self, container: Container) -> None:
        """Starts it."""


class Removes(Protocol):
    """Who removes a container that was to be removed at its end."""

    async def auto(self, container: Container) -> None:
        """Removes it with its anonymous volumes."""


class AdoptContainers:
    """Brings the index in line with what runs; once, after the index was opened."""

    def __init__(
        self, index: ContainerIndex, supervisor: Supervisor, snapshots: Snapshots,
        attachments: Attachments, volumes: VolumeState, watcher: ExitWatcher, start: Starts,
        remove: Removes, pools: Pools, defaults: ContainerDefaults, live_network: LiveNetwork,
    ) -> None:  # fmt: skip
        self._live_network = live_network
        self._index = index
        self._supervisor = supervisor
        self._snapshots = snapshots
        self._attachments = attachments
        self._volumes = volumes
        self._watcher = watcher
        self._start = start
        self._remove = remove
        self._pools = pools
        self._defaults = defaults
        self._order = StartOrder(index)
        self._due: set[asyncio.Task[None]] = set()

    async def __call__(self) -> None:
        """Adopts everything; before the networks are settled and the API is served."""
        containers = self._index.all()
        connections = await asyncio.gather(*(self._connect(item) for item in containers))
        for container, connection in zip(containers, connections, strict=True):
            container.monitor = connection
            state = read_state(self._defaults.state_dir(container.id))
            container.cgroup_path = state.cgroup_path if state else ""
            for point in container.record.mounts:
                if point.volume:
                    self._volumes.reference(point.volume, container.id)
        # Also those of containers that have ended: their exits give the endpoints back.
        endpoints = [endpoint for item in containers for endpoint in item.record.endpoints]
        await self._pools.run("network", self._attachments.restore, endpoints)
        for container in containers:
            await self._resume(container)
        await self._pools.run("disk", self._sweep)

    def catch_up(self) -> None:
        """Begins in the background what fell due; after the networks are settled."""
        for container in reversed(self._index.all()):
            self._catch_up(container)

    async def _connect(self, container: Container) -> MonitorConnection | None:
        directory = self._defaults.state_dir(container.id)
        if not directory.is_dir():
            return None
        try:
            return await self._pools.run("supervisor", self._supervisor.adopt, directory)
        except (WherryError, OSError) as error:
            logger.warning("container %s: its monitor does not answer: %s", container.id, error)
            return None

    async def _resume(self, container: Container) -> None:
        """Watches a container that runs, or records the exit of one that does not.

        It may have been started without the killed daemon's having written so.
        """
        if container.monitor is not None:
            await self._mount_volumes(container)
            await self._mark_running(container, container.monitor.started)
            await self._settle_freezer(container)
            self._watcher.watch(container)
            async with container.lock:
                await self._live_network.recover(container)
            return
        started = await self._pools.run("disk", self._unseen_start, container)
        if started is not None:
            await self._mark_running(container, started)
        if container.state.status in ("running", "paused"):
            event = await self._pools.run("disk", self._find_exit, container)
            await self._watcher.ended(container, event)
            return
        if container.record.endpoints:
            await self._watcher.release(container)
            await self._index.save(container)
        if self._defaults.state_dir(container.id).is_dir():
            await self._pools.run("disk", self._watcher.clean, container)

    def _unseen_start(self, container: Container) -> Started | None:
        """The run that a monitor wrote down if the record knows only of those before it."""
        state = read_state(self._defaults.state_dir(container.id))
        if state is None or not state.pid or container.state.status in ("running", "paused"):
            return None
        began = int(state.started_at * 1e9)
        if container.has_run and parse_rfc3339(container.state.started_at) >= began:
            return None
        return Started(state.pid, state.start_time, state.started_at)

    async def _mark_running(self, container: Container, started: Started) -> None:
        if container.state.pid == started.pid and container.state.running:
            return
        await self._index.update_state(
            container, status="running", pid=started.pid, exit_code=0, error="",
            started_at=rfc3339_nano(int(started.started_at * 1e9)), manually_stopped=False,
        )  # fmt: skip

    async def _settle_freezer(self, container: Container) -> None:
        """A pause stays if it was recorded and a user's; half of one, or a commit's, ends."""
        state = container.state
        group = group_of(container, self._defaults)
        frozen = await self._pools.run("disk", group.is_frozen)
        if frozen and (state.status != "paused" or state.paused_for_commit):
            await self._pools.run("disk", group.thaw)
            frozen = False
        if state.status == "paused" and not frozen:
            await self._index.update_state(container, status="running", paused_for_commit=False)

    async def _mount_volumes(self, container: Container) -> None:
        for point in container.record.mounts:
            if point.volume and self._volumes.exists(point.volume):
                await self._volumes.mount(point.volume, container.id)

    def _find_exit(self, container: Container) -> Exited:
        """The exit that the monitor wrote down, or what must have happened."""
        directory = self._defaults.state_dir(container.id)
        exits = read_exits(directory)
        if exits:
            return exits[-1]
        state = read_state(directory)
        if state is None or state.boot_id != boot_id():
            # 255 is what dockerd gives containers that a reboot has ended.
            return Exited(255, now_ns() / 1e9)
        return lost_monitor()

    def _sweep(self) -> None:
        """Removes what a killed daemon left of containers that have no record."""
        for root in (self._defaults.data_root, self._defaults.exec_root):
            directory = root / "containers"
            names = os.listdir(directory) if directory.is_dir() else []
            for name in names:
                if len(name) == 64 and self._index.find(name) is None:
                    self._sweep_one(name, directory / name)
        for key in self._snapshots.active():
            if self._index.find(key[:64]) is None:
                self._snapshots.remove(key)

    def _sweep_one(self, identifier: str, directory: Path) -> None:
        logger.info("removing what is left of container %s", identifier)
        try:
            state = read_state(self._defaults.state_dir(identifier))
            path = state.cgroup_path if state else self._defaults.cgroup_path(identifier)
            Cgroup(self._defaults.layout, path).remove()
        except OSError as error:
            logger.warning("container %s: its control group stays: %s", identifier, error)
        remove_state(directory)

    def _catch_up(self, container: Container) -> None:
        """Starts or removes what a restart policy or `--rm` asks for."""
        host, state = container.record.host, container.state
        if container.monitor is not None or container.exits:
            return  # it runs, or its exit was handled just now
        if state.status == "restarting":
            self._watcher.restart_later(container)
        elif state.status == "exited" and host.auto_remove:
            self._begin(container, remove=True)
        elif container.has_run and restarts_with_daemon(host.restart_policy, state):
            self._begin(container, remove=False)

    def _begin(self, container: Container, *, remove: bool) -> None:
        async def work() -> None:
            try:
                if not remove:
                    await self._order.turn_of(container)
                await (self._remove.auto(container) if remove else self._start(container))
            except WherryError as error:
                logger.warning("container %s: %s", container.name, error.message)

        task = asyncio.create_task(work())
        self._due.add(task)
        task.add_done_callback(self._due.discard)


class LeaveContainers:
    """The containers' part of a clean end of the daemon."""

    def __init__(
        self, index: ContainerIndex, watcher: ExitWatcher, pools: Pools,
        defaults: ContainerDefaults,
    ) -> None:  # fmt: skip
        self._index = index
        self._watcher = watcher
        self._pools = pools
        self._defaults = defaults

    async def __call__(self) -> None:
        """Leaves containers running, or stops them all, and waits for the ends that are known."""
        self._watcher.closing = True  # no restarts from here on
        if not self._defaults.live_restore:
            running = [item for item in self._index.all() if item.monitor is not None]
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._patience(running)):
                    await asyncio.gather(*(self._end(item) for item in running))
        await self._watcher.settle()

    def _patience(self, running: Sequence[Container]) -> float | None:
        """Seconds in all: `shutdown-timeout`, or what a container was promised and five more."""
        longest = self._defaults.shutdown_timeout
        for item in running:
            own = item.record.config.stop_timeout
            seconds = self._defaults.stop_timeout if own is None else own
            if seconds < 0 or longest < 0:
                return None
            longest = max(longest, seconds + 5)
        return float(longest)

    async def _end(self, container: Container) -> None:
        """Stops a container; not marked as stopped by a user, so that policies still hold."""
        own = container.record.config.stop_timeout
        seconds = self._defaults.stop_timeout if own is None else own
        for number, bound in ((15, float(seconds) if seconds >= 0 else None), (9, 10.0)):
            monitor = container.monitor
            if monitor is None:
                return
            try:
                await self._pools.run("supervisor", monitor.signal, number)
            except WherryError:
                return  # it has ended by itself
            changed = await container.changed()
            try:
                async with asyncio.timeout(bound), changed:
                    await changed.wait_for(lambda: container.monitor is None)
            except TimeoutError:
                continue
