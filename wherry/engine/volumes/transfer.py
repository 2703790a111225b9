"""A volume as an archive, from an archive, and as a copy of another."""

import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

from wherry.base.errors import Conflict
from wherry.engine.pools import Pools
from wherry.engine.task_streams import ended_with, read_pipe, result, write_pipe
from wherry.engine.volumes.record import VolumeRecord, check_name
from wherry.engine.volumes.state import VolumeState
from wherry.engine.volumes.transfer_tasks import COPY_TASK, EXPORT_TASK, IMPORT_TASK
from wherry.model.docker.volume import VolumeResource
from wherry.supervisor.client import Supervisor, Task

_HOLDER = "volume-transfer"
"""Who has a volume mounted while its files are read; no container's id looks so."""


class _Files:
    """Opens volumes' directories and hands them to confined children."""

    def __init__(self, state: VolumeState, supervisor: Supervisor) -> None:
        self._state = state
        self._supervisor = supervisor

    @contextlib.asynccontextmanager
    async def mounted(self, name: str) -> AsyncIterator[Path]:
        """Where a volume's files are, with what its options name mounted meanwhile."""
        path = await self._state.mount(name, _HOLDER)
        try:
            yield path
        finally:
            await self._state.unmount(name, _HOLDER)

    def task(self, name: str, *ends: Path | int) -> Task:
        """A task with directories and pipes' ends, which are closed here."""
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
        opened = [end if isinstance(end, int) else os.open(end, flags) for end in ends]
        try:
            return self._supervisor.run_task(name, b"", opened)
        finally:
            for descriptor in opened:
                os.close(descriptor)


class ExportVolume:
    """Archives the files of a volume, as they are while it is read."""

    def __init__(self, state: VolumeState, supervisor: Supervisor, pools: Pools) -> None:
        """Collaborators are shared with the other use cases of volumes."""
        self._state = state
        self._files = _Files(state, supervisor)
        self._pools = pools

    @contextlib.asynccontextmanager
    async def __call__(self, name: str) -> AsyncIterator[AsyncIterator[bytes]]:
        """The archive, tar in PAX format; raises NoSuchVolume, VolumeMountFailed."""
        async with self._files.mounted(name) as path:
            reading, writing = os.pipe2(os.O_CLOEXEC)
            async with read_pipe(reading) as source:
                with ended_with(self._files.task(EXPORT_TASK, path, writing)) as task:
                    yield source
                    await result(task, self._pools)


class ImportVolume:
    """Makes a volume, or fills an empty one, from an archive: all of it or nothing."""

    def __init__(self, state: VolumeState, supervisor: Supervisor, pools: Pools) -> None:
        """Collaborators are shared with the other use cases of volumes."""
        self._state = state
        self._files = _Files(state, supervisor)
        self._pools = pools

    async def __call__(self, name: str, archive: AsyncIterator[bytes]) -> VolumeResource:
        """The volume; raises InvalidParameter for what is no archive, VolumeNotEmpty, Conflict."""
        async with self._state.incoming(check_name(name)) as directory:
            reading, writing = os.pipe2(os.O_CLOEXEC)
            async with write_pipe(writing, archive):
                with ended_with(self._files.task(IMPORT_TASK, directory, reading)) as task:
                    await result(task, self._pools)
            record = await self._state.take_in(name, directory)
        return self._state.describe(record)


class CloneVolume:
    """Makes a volume with the files and labels of another."""

    def __init__(self, state: VolumeState, supervisor: Supervisor, pools: Pools) -> None:
        """Collaborators are shared with the other use cases of volumes."""
        self._state = state
        self._files = _Files(state, supervisor)
        self._pools = pools

    async def __call__(self, source: str, name: str) -> VolumeResource:
        """The new volume; raises NoSuchVolume, InvalidParameter, Conflict if there is one."""
        origin = self._state.get(source)
        if self._state.exists(check_name(name)):
            raise Conflict(f"volume {name} exists already: remove it or choose another name")
        async with self._state.incoming(name) as directory:
            async with self._files.mounted(source) as path:
                with ended_with(self._files.task(COPY_TASK, path, directory)) as task:
                    await result(task, self._pools)
            record: VolumeRecord = await self._state.take_in(
                name, directory, labels=origin.named_labels
            )
        return self._state.describe(record)
