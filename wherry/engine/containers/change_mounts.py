"""Mounts added to and removed from a container that exists, whether it runs or not."""

import posixpath
from collections.abc import Sequence

import msgspec

from wherry.base.errors import Conflict, InvalidParameter, NotFound
from wherry.base.ids import new_id, short_id
from wherry.engine.containers.container import Container, MountPoint
from wherry.engine.containers.index import ContainerIndex
from wherry.engine.containers.mounts import (
    MountResolver,
    make_bind_source,
    parse_bind,
    parse_mount,
)
from wherry.engine.containers.spec import point_mount
from wherry.engine.containers.user_namespaces import UserNamespaces
from wherry.engine.pools import Pools
from wherry.engine.system.event_bus import EventBus
from wherry.engine.volumes.state import VolumeState
from wherry.images.catalog import ImageCatalog
from wherry.model.docker.container import HostConfig, MountRequest
from wherry.runtime.live_mounts import ATTACH_TASK, DETACH_TASK, LiveMount
from wherry.runtime.plan import tree_of
from wherry.store.snapshot.driver import Snapshots
from wherry.supervisor.client import Supervisor

_SECONDS = 60.0
_LIVE = ("bind", "volume", "image")
"""What can be mounted from outside while a container runs."""


class ChangeMounts:
    """Adds mounts, then removes others; nothing is changed if one cannot be added."""

    def __init__(
        self, index: ContainerIndex, resolver: MountResolver, volumes: VolumeState,
        images: ImageCatalog, snapshots: Snapshots, supervisor: Supervisor,
        user_namespaces: UserNamespaces, pools: Pools, events: EventBus,
    ) -> None:  # fmt: skip
        self._index = index
        self._resolver = resolver
        self._volumes = volumes
        self._images = images
        self._snapshots = snapshots
        self._supervisor = supervisor
        self._user_namespaces = user_namespaces
        self._pools = pools
        self._events = events

    async def __call__(
        self, container: Container, add: Sequence[MountRequest], remove: Sequence[str]
    ) -> None:
        """Raises InvalidParameter, NotFound, Conflict, and a start's errors for what fails."""
        async with container.lock:
            if container.removed:
                raise Conflict(f"container {container.id} is marked for removal")
            gone = [_find(container, target) for target in remove]
            wanted = [parse_mount(request) for request in add]
            _check_new(container, wanted)
            points: list[MountPoint] = []
            before, attached = container.record, 0
            try:
                for point, request in zip(wanted, add, strict=True):
                    mark = short_id(new_id())
                    points.append(
                        await self._resolver.settle_point(point, container.id, mark, request)
                    )
                    await self._bring(container, points[-1])
                    attached += 1
                kept = [point for point in before.mounts if point not in gone]
                container.record = msgspec.structs.replace(
                    before, mounts=tuple(sorted([*kept, *points], key=_depth)),
                    host=_host(before.host, gone, add),
                )  # fmt: skip
                await self._index.save(container, durable=True)
            except BaseException:
                container.record = before
                for number, point in enumerate(points):
                    # Not detached unless attached: another's mount may lie at that path.
                    await self._take(container, point, attached=number < attached)
                raise
            for point in gone:
                await self._take(container, point)
        self._events.publish("container", "update", container.id, container.attributes())

    async def _bring(self, container: Container, point: MountPoint) -> None:
        if point.snapshot:
            chain = self._images.get(point.image).chain
            await self._pools.run("disk", self._snapshots.prepare, point.snapshot, chain)
        if container.monitor is None:
            return
        sources: dict[str, str] = {}
        if point.volume:
            path = await self._volumes.mount(point.volume, container.id, point.attributes())
            sources[point.volume] = str(path)
        elif point.type == "bind" and point.source:
            await self._pools.run("disk", make_bind_source, point.source)
        await self._pools.run("supervisor", self._run, ATTACH_TASK, container, point, sources)

    async def _take(
        self, container: Container, point: MountPoint, *, attached: bool = True
    ) -> None:
        if attached and container.monitor is not None and point.type != "secret":
            await self._pools.run("supervisor", self._run, DETACH_TASK, container, point, {})
        if point.volume:
            await self._volumes.unmount(point.volume, container.id, shown=True)
            self._volumes.dereference(point.volume, container.id)
        if point.snapshot:
            await self._pools.run("disk", self._snapshots.remove, point.snapshot)

    def _run(
        self, name: str, container: Container, point: MountPoint, sources: dict[str, str]
    ) -> None:
        monitor = container.monitor
        if monitor is None:
            return
        images = {}
        if point.snapshot:
            images[point.snapshot] = self._snapshots.mounts(point.snapshot)[0]
        ids, _ = self._user_namespaces.of(container)
        mount = tree_of(point_mount(point, sources, images, ids))
        started = monitor.started
        request = LiveMount(started.pid, started.start_time, mount)
        self._supervisor.run_task(name, msgspec.json.encode(request)).result(_SECONDS)


def _find(container: Container, target: str) -> MountPoint:
    path = posixpath.normpath(target)
    for point in container.record.mounts:
        if point.target == path:
            return point
    raise NotFound(f"container {container.name} has no mount at {target}")


def _check_new(container: Container, points: Sequence[MountPoint]) -> None:
    taken = {point.target for point in container.record.mounts}
    for point in points:
        if point.target in taken:
            raise InvalidParameter(f"Duplicate mount point: {point.target}")
        taken.add(point.target)
        if container.monitor is not None and point.type not in _LIVE:
            raise Conflict(
                f"a mount of type {point.type} cannot be added while container {container.name} "
                "runs: stop it first"
            )


def _host(host: HostConfig, gone: Sequence[MountPoint], add: Sequence[MountRequest]) -> HostConfig:
    """What the container was asked for, so that inspect shows what is."""
    targets = {point.target for point in gone}
    binds = [word for word in host.binds or () if parse_bind(word).target not in targets]
    kept = [item for item in host.mounts or ()
            if posixpath.normpath(item.target) not in targets]  # fmt: skip
    tmpfs = {key: value for key, value in (host.tmpfs or {}).items()
             if posixpath.normpath(key) not in targets}  # fmt: skip
    return msgspec.structs.replace(
        host, binds=binds or None, mounts=[*kept, *add] or None, tmpfs=tmpfs or None
    )


def _depth(point: MountPoint) -> int:
    return point.target.count("/")
