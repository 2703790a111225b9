"""Copying files between a container and a client (`docker cp`), and `docker export`."""

import contextlib
import errno
import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import msgspec

from wherry.base.errors import InvalidParameter, NotFound
from wherry.engine.containers.container import Container, MountPoint
from wherry.engine.containers.index import ContainerIndex
from wherry.engine.containers.tree_tasks import (
    PathStat,
    ReadRequest,
    TreeMount,
    TreeView,
    WriteRequest,
)
from wherry.engine.pools import Pools
from wherry.engine.system.event_bus import EventBus
from wherry.engine.task_streams import ended_with, next_frame, read_pipe, result, write_pipe
from wherry.engine.volumes.state import VolumeState
from wherry.linux.process import process_start_time
from wherry.model.mount import Mount
from wherry.store.snapshot.driver import Snapshots
from wherry.supervisor.client import Supervisor, Task
from wherry.supervisor.messages import Started

READ_TASK, WRITE_TASK, EXPORT_TASK = "tree.read", "tree.write", "tree.export"


class FileViews:
    """Opens the files of containers: those of the process, or of the layers with volumes."""

    def __init__(
        self, snapshots: Snapshots, volumes: VolumeState, supervisor: Supervisor,
        scratch: Path, pools: Pools,
    ) -> None:  # fmt: skip
        self._snapshots = snapshots
        self._volumes = volumes
        self._supervisor = supervisor
        self._scratch = scratch
        self._pools = pools

    @contextlib.asynccontextmanager
    async def root(self, container: Container) -> AsyncIterator[TreeView]:
        """The view of a container's root file system alone, to be read: nobody has to wait."""
        started, root = _process(container), self._snapshots.mounts(container.id)[0]
        if started is not None:
            yield TreeView(root, started.pid, started.start_time)
        else:
            yield TreeView(_to_read(root))

    @contextlib.asynccontextmanager
    async def view(self, container: Container) -> AsyncIterator[TreeView]:
        """The view of a container; one that does not run is not started meanwhile."""
        started, record = _process(container), container.record
        root = self._snapshots.mounts(container.id)[0]
        read_only = record.host.readonly_rootfs
        if started is not None:
            mounts = tuple(TreeMount(item.target, "", item.read_write) for item in record.mounts)
            yield TreeView(root, started.pid, started.start_time, mounts, read_only)
            return
        async with container.lock:
            holder = f"{container.id}-files"
            mounted: list[TreeMount] = []
            held: list[str] = []
            try:
                for item in sorted(record.mounts, key=lambda point: point.target.count("/")):
                    source = await self._source(item, holder, held)
                    mounted.append(TreeMount(item.target, source, item.read_write))
                yield TreeView(root, mounts=tuple(mounted), read_only=read_only)
            finally:
                for name in held:
                    await self._volumes.unmount(name, holder)

    async def _source(self, item: MountPoint, holder: str, held: list[str]) -> str:
        if item.type == "bind":
            return item.source
        if item.type != "volume" or not self._volumes.exists(item.volume):
            return ""
        path = await self._volumes.mount(item.volume, holder)
        held.append(item.volume)
        return str(path / item.subpath) if item.subpath else str(path)

    @contextlib.contextmanager
    def task(self, name: str, parameters: msgspec.Struct, pipe: int | None) -> Iterator[Task]:
        """A task with an empty directory to mount on, and one end of a pipe that goes with it."""
        with tempfile.TemporaryDirectory(dir=self._scratch, prefix="view-") as directory:
            descriptors = [os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)]
            if pipe is not None:
                descriptors.append(pipe)
            try:
                task = self._supervisor.run_task(name, msgspec.json.encode(parameters), descriptors)
            finally:
                for descriptor in descriptors:
                    os.close(descriptor)
            with ended_with(task):
                yield task


class ContainerFiles:
    """Describes, reads and writes paths of containers."""

    def __init__(
        self, index: ContainerIndex, views: FileViews, pools: Pools, events: EventBus
    ) -> None:
        self._index = index
        self._views = views
        self._pools = pools
        self._events = events

    async def describe(self, reference: str, path: str) -> PathStat:
        """The path's description; raises NoSuchContainer, InvalidParameter, NotFound."""
        container = self._checked(reference, path)
        async with self._views.view(container) as view:
            request = ReadRequest(view, path, archive=False)
            with _missing(container, path), self._views.task(READ_TASK, request, None) as task:
                _, payload = await next_frame(task, self._pools)
                await result(task, self._pools)
        return msgspec.json.decode(payload, type=PathStat)

    @contextlib.asynccontextmanager
    async def read(
        self, reference: str, path: str
    ) -> AsyncIterator[tuple[PathStat, AsyncIterator[bytes]]]:
        """The path's description and its archive; raises as `describe`."""
        container = self._checked(reference, path)
        async with self._views.view(container) as view:
            reading, writing = os.pipe2(os.O_CLOEXEC)
            request = ReadRequest(view, path)
            async with read_pipe(reading) as source:
                with _missing(container, path), self._views.task(READ_TASK, request, writing) as at:
                    _, payload = await next_frame(at, self._pools)
                    yield msgspec.json.decode(payload, type=PathStat), source
                    await result(at, self._pools)
        self._events.publish("container", "archive-path", container.id, container.attributes())

    async def write(
        self, reference: str, path: str, archive: AsyncIterator[bytes], *, keep_kinds: bool,
        as_user: bool,
    ) -> None:  # fmt: skip
        """Unpacks an archive; raises as `describe`, and Forbidden for what is read-only."""
        container = self._checked(reference, path)
        user = container.record.config.user if as_user else ""
        async with self._views.view(container) as view:
            reading, writing = os.pipe2(os.O_CLOEXEC)
            request = WriteRequest(view, path, keep_kinds, user)
            async with write_pipe(writing, archive):
                with (
                    _missing(container, path),
                    self._views.task(WRITE_TASK, request, reading) as at,
                ):
                    await result(at, self._pools)
        self._events.publish("container", "extract-to-dir", container.id, container.attributes())

    def _checked(self, reference: str, path: str) -> Container:
        container = self._index.get(reference)
        if not path:
            raise InvalidParameter("bad parameter: path cannot be empty")
        if "\0" in path:
            raise InvalidParameter("bad parameter: path cannot hold a null character")
        return container


class ExportContainer:
    """Archives a container's root file system, without what is mounted in it."""

    def __init__(
        self, index: ContainerIndex, views: FileViews, pools: Pools, events: EventBus
    ) -> None:
        self._index = index
        self._views = views
        self._pools = pools
        self._events = events

    @contextlib.asynccontextmanager
    async def __call__(self, reference: str) -> AsyncIterator[AsyncIterator[bytes]]:
        """The archive; raises NoSuchContainer."""
        container = self._index.get(reference)
        async with self._views.root(container) as view:
            reading, writing = os.pipe2(os.O_CLOEXEC)
            async with read_pipe(reading) as source:
                with self._views.task(EXPORT_TASK, view, writing) as task:
                    await next_frame(task, self._pools)
                    yield source
                    await result(task, self._pools)
        self._events.publish("container", "export", container.id, container.attributes())


def _process(container: Container) -> Started | None:
    """The container's process, None if it has ended, also if nobody has been told yet."""
    started = container.monitor.started if container.monitor else None
    if started is None or process_start_time(started.pid) != started.start_time:
        return None
    return started


def _to_read(root: Mount) -> Mount:
    """An overlay whose writable layer is its topmost lower one: others may write it meanwhile."""
    if root.type != "overlay":
        return root
    options = dict(option.partition("=")[::2] for option in root.options)
    upper = options.pop("upperdir").replace("\\", "\\\\").replace(":", "\\:")
    options.pop("workdir")
    options["lowerdir"] = f"{upper}:{options['lowerdir']}"
    words = tuple(f"{key}={value}" if value else key for key, value in options.items())
    return msgspec.structs.replace(root, options=words)


@contextlib.contextmanager
def _missing(container: Container, path: str) -> Iterator[None]:
    """Docker's words for a path that is not there."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
            raise NotFound(
                f"Could not find the file {path} in container {container.name}"
            ) from error
        if error.errno == errno.ENAMETOOLONG:
            raise InvalidParameter(f"bad parameter: path is too long: {path[:64]}...") from error
        raise
