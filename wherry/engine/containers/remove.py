"""Removing and renaming containers."""

import shutil

import msgspec

from wherry.base import crash_points
from wherry.base.errors import Conflict, InvalidParameter, WherryError
from wherry.engine.containers.container import Container
from wherry.engine.containers.defaults import ContainerDefaults
from wherry.engine.containers.groups import remove_group
from wherry.engine.containers.index import ContainerIndex, NameInUse
from wherry.engine.containers.layers import remove_snapshots
from wherry.engine.containers.names import check_name
from wherry.engine.containers.networking import ContainerNetwork
from wherry.engine.containers.shared_memory import remove_state
from wherry.engine.containers.stop import ContainerSignals, ended_within
from wherry.engine.pools import Pools
from wherry.engine.system.event_bus import EventBus
from wherry.engine.volumes.state import VolumeState
from wherry.store.snapshot.driver import Snapshots


class RemoveContainer:
    """Takes a container away with its layer; volumes stay unless they are anonymous and asked."""

    def __init__(
        self, index: ContainerIndex, signals: ContainerSignals, snapshots: Snapshots,
        volumes: VolumeState, pools: Pools, events: EventBus, defaults: ContainerDefaults,
    ) -> None:  # fmt: skip
        self._index = index
        self._signals = signals
        self._snapshots = snapshots
        self._volumes = volumes
        self._pools = pools
        self._events = events
        self._defaults = defaults

    async def __call__(
        self, container: Container, *, force: bool = False, volumes: bool = False
    ) -> None:
        """Raises Conflict for a running container without `force`, in Docker's words."""
        if container.removed:
            raise Conflict(f"removal of container {container.id} is already in progress")
        status = container.state.status
        if container.monitor is not None or status == "restarting":
            if not force:
                how = {
                    "paused": "is paused and must be unpaused first",
                    "restarting": "is restarting: stop the container before removing or force "
                    "remove",
                }.get(status, "is running: stop the container before removing or force remove")
                raise Conflict(f'cannot remove container "{container.name}": container {how}')
            await self._end(container)
        await self.auto(container, volumes=volumes)

    async def _end(self, container: Container) -> None:
        exits = container.exits
        if container.state.status == "restarting":
            await self._index.update_state(container, status="exited", manually_stopped=True)
            return
        container_ended = container.monitor is None
        if not container_ended:
            await self._signals.kill(container, "SIGKILL")
            if not await ended_within(container, exits, 10):
                raise WherryError(
                    f'cannot remove container "/{container.name}": could not kill container'
                )

    async def auto(self, container: Container, *, volumes: bool | None = None) -> None:
        """Removes an ended container; as `--rm` does when `volumes` is None (anonymous too).

        Once the record is gone so is the container, for everybody who waits; its files follow, and
        a new daemon sweeps those that a killed one left.
        """
        async with container.lock:
            if container.removed:
                return
            doomed = self._anonymous(container) if volumes or volumes is None else []
            container.removed = True
            container.close_parked()
            try:
                await self._index.remove(container, self._volumes.doom(doomed, container.id))
            except BaseException:
                container.removed = False
                self._volumes.finish(doomed)
                raise
            crash_points.reach("remove.recorded")
            for point in container.record.mounts:
                if point.volume:
                    self._volumes.dereference(point.volume, container.id)
            for name in doomed:
                await self._remove_volume(name)
            crash_points.reach("remove.volumes")
        self._events.publish("container", "destroy", container.id, container.attributes())
        await container.notify()
        await self._pools.run("disk", self._delete_files, container)
        crash_points.reach("remove.deleted")

    def _anonymous(self, container: Container) -> list[str]:
        names = dict.fromkeys(point.volume for point in container.record.mounts if point.volume)
        return [name for name in names
                if self._volumes.exists(name) and self._volumes.get(name).anonymous]  # fmt: skip

    async def _remove_volume(self, name: str) -> None:
        try:
            await self._volumes.remove(name, force=True)
        except Conflict:  # somebody else has it
            await self._volumes.keep(name)

    def _delete_files(self, container: Container) -> None:
        """The run-time files come last: they name the control group for the next daemon."""
        remove_group(container, self._defaults)
        remove_snapshots(self._snapshots, container.id, container.record.mounts)
        shutil.rmtree(self._defaults.container_dir(container.id), ignore_errors=True)
        remove_state(self._defaults.state_dir(container.id))


class RenameContainer:
    """Gives a container another name."""

    def __init__(
        self, index: ContainerIndex, events: EventBus, network: ContainerNetwork
    ) -> None:  # fmt: skip
        self._index = index
        self._events = events
        self._network = network

    async def __call__(self, container: Container, name: str) -> None:
        """Raises InvalidParameter for a bad name, NameInUse for a taken one."""
        if not name:
            raise InvalidParameter("Neither old nor new names may be empty")
        try:
            name = check_name(name if name.startswith("/") else f"/{name}")
        except InvalidParameter as error:
            raise InvalidParameter(f"Error when allocating new name: {error.message}") from None
        old = container.name
        if name == old:
            raise InvalidParameter("Renaming a container with the same name as its current name")
        async with container.lock:
            if container.removed:
                raise Conflict(f"container {container.id} is marked for removal")
            try:
                self._index.reserve_name(name, container.id)
            except NameInUse as error:
                error.args = (f"Error when allocating new name: {error.message}",)
                raise
            before = container.record
            container.record = msgspec.structs.replace(before, name=name)
            try:
                await self._network.rename(container, old)
                await self._index.save(container, durable=True)
            except BaseException:
                container.record = before
                self._index.free_name(name)
                await self._network.rename(container, name)
                raise
            crash_points.reach("rename.recorded")
            self._index.free_name(old)
            if container.monitor is not None:
                await self._network.announce(container)
        attributes = {**container.attributes(), "oldName": f"/{old}"}
        self._events.publish("container", "rename", container.id, attributes)
