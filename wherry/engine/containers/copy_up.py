"""New volumes get what the image has in their place."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from wherry.engine.containers.container import MountPoint
from wherry.engine.pools import Pools
from wherry.engine.volumes.state import VolumeState
from wherry.store.snapshot.driver import Snapshots
from wherry.store.volume.copy_up import CopyUpRequest
from wherry.supervisor.client import Task

TASK = "volume.copy_up"
_SECONDS = 600.0


class RunsTasks(Protocol):
    """Who runs tasks in confined children: the supervisor."""

    def run_task(self, name: str, params: bytes, fds: Sequence[int] = ()) -> Task:
        """Begins a task."""


class CopyUp:
    """Fills the empty volumes of a container whose layer has just been made."""

    def __init__(
        self, volumes: VolumeState, snapshots: Snapshots, tasks: RunsTasks, pools: Pools
    ) -> None:
        self._volumes = volumes
        self._snapshots = snapshots
        self._tasks = tasks
        self._pools = pools

    async def __call__(self, identifier: str, points: Sequence[MountPoint]) -> None:
        """As dockerd at creation: volumes without `nocopy` that are empty."""
        for point in points:
            if point.type != "volume" or not point.copy_up or point.subpath:
                continue
            path = await self._volumes.mount(point.volume, identifier)
            try:
                await self._pools.run("disk", self._fill, identifier, point.target, path)
            finally:
                await self._volumes.unmount(point.volume, identifier)

    def _fill(self, identifier: str, target: str, path: Path) -> None:
        if any(os.scandir(path)):
            return
        mount = self._snapshots.mounts(identifier)[0]
        whole = str(self._snapshots.upper(identifier)) if mount.type == "bind" else ""
        request = CopyUpRequest(mount.options, target, whole)
        directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            task = self._tasks.run_task(TASK, msgspec.json.encode(request), [directory])
        finally:
            os.close(directory)
        try:
            task.result(_SECONDS)
        except BaseException:
            task.kill()
            raise
