"""Layers from archives: unpacked in a confined child, visible when whole and verified."""

import os
from collections.abc import Callable, Sequence

import msgspec

from wherry.base import crash_points
from wherry.base.errors import DataCorrupt
from wherry.base.ids import new_id
from wherry.images.ports import TaskRunner
from wherry.model.digest import chain_ids
from wherry.model.mount import Mount
from wherry.store.content.layers import LayerArchives
from wherry.store.layer.apply import ApplyRequest, ApplyResult
from wherry.store.snapshot.driver import Snapshots

TASK = "layer.apply"
_PROGRESS = b"p"
_SECONDS = 600.0
"""Without any progress."""


class LayerUnpacker:
    """Turns archives into committed layers."""

    def __init__(self, snapshots: Snapshots, archives: LayerArchives, tasks: TaskRunner) -> None:
        self._snapshots = snapshots
        self._archives = archives
        self._tasks = tasks

    def has(self, chain_id: str) -> bool:
        """Whether a layer of this chain id is there."""
        return self._snapshots.has_layer(chain_id)

    def size(self, diff_ids: Sequence[str]) -> int:
        """Bytes of the files that layers bring."""
        return sum(self._snapshots.layer_size(name) for name in chain_ids(tuple(diff_ids)))

    def unpack(
        self, descriptor: int, below: tuple[str, ...], diff_id: str = "",
        progress: Callable[[int], None] | None = None,
    ) -> ApplyResult:  # fmt: skip
        """Unpacks the archive of a descriptor over layers with the diff ids `below`.

        With `diff_id` the layer is known and its content verified; raises DataCorrupt then if it
        differs. The layer is there, under its chain id, when this returns, and so is the archive.
        `progress` gets the bytes of the archive that have been read.
        """
        if diff_id and self._snapshots.has_layer(chain_ids((*below, diff_id))[-1]):
            if not self._archives.has(diff_id):
                self._archives.put(diff_id, descriptor)
            return ApplyResult(diff_id, 0, 0)
        name = f"sha256:{new_id()}"
        try:
            place = self._snapshots.begin_layer(name, chain_ids(below))
            crash_points.reach("layer.begun")
            result = self._run(descriptor, place, progress)
            crash_points.reach("layer.unpacked")
            if diff_id and result.diff_id != diff_id:
                raise DataCorrupt(
                    f"layer {diff_id} has the wrong content: its digest is {result.diff_id}"
                )
            self._archives.put(result.diff_id, descriptor)
            crash_points.reach("layer.kept")
            chain = chain_ids((*below, result.diff_id))[-1]
            self._snapshots.commit_layer(name, chain, result.content_size)
            crash_points.reach("layer.visible")
        except BaseException:
            self._snapshots.abandon_layer(name)
            raise
        return result

    def _run(
        self, descriptor: int, place: Mount, progress: Callable[[int], None] | None
    ) -> ApplyResult:
        upper = place.source
        if place.type == "overlay":
            upper = next(item.removeprefix("upperdir=") for item in place.options
                         if item.startswith("upperdir="))  # fmt: skip
        request = ApplyRequest(
            overlay=place.options if place.type == "overlay" else (),
            maximum_size=_free_bytes(upper), strict=True,
        )  # fmt: skip
        target = os.open(upper, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            task = self._tasks.run_task(TASK, msgspec.json.encode(request), [descriptor, target])
        finally:
            os.close(target)
        try:
            while True:
                kind, payload = task.next_frame(_SECONDS)
                if kind != _PROGRESS:
                    return msgspec.json.decode(payload, type=ApplyResult)
                if progress:
                    progress(int(payload))
        except BaseException:
            task.kill()
            raise


def _free_bytes(path: str) -> int:
    """What a layer may unpack to: a bomb ends before it has filled the disk for all."""
    found = os.statvfs(path)
    return found.f_bavail * found.f_frsize
