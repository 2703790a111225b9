"""Images from containers (`docker commit`)."""

import os
import tempfile
from collections.abc import Sequence

import msgspec

from wherry.base import crash_points
from wherry.base.clock import now_ns, timestamp
from wherry.base.files import naming
from wherry.images.catalog import ImageCatalog
from wherry.images.changes import apply_changes
from wherry.images.layers import ImageLayers
from wherry.images.ports import TaskRunner
from wherry.images.unpack import LayerUnpacker
from wherry.model.image import Image
from wherry.model.image_config import History, ImageConfig, RootFilesystem, RuntimeConfig
from wherry.model.reference import Reference
from wherry.store.layer.diff import DiffResult
from wherry.store.snapshot.driver import Snapshots

TASK = "layer.diff"
_SECONDS = 3600.0


class CommitImage:
    """Makes a layer of what a container changed, and an image with it on top."""

    def __init__(
        self, catalog: ImageCatalog, snapshots: Snapshots, unpacker: LayerUnpacker,
        layers: ImageLayers, tasks: TaskRunner, scratch: str,
    ) -> None:  # fmt: skip
        self._layers = layers
        self._catalog = catalog
        self._snapshots = snapshots
        self._unpacker = unpacker
        self._tasks = tasks
        self._scratch = scratch

    def __call__(
        self, key: str, base: Image, config: RuntimeConfig, *,
        reference: Reference | None = None, changes: Sequence[str] = (), author: str = "",
        comment: str = "", command: str = "",
    ) -> Image:  # fmt: skip
        """Commits the writable snapshot `key` over `base`; raises InvalidParameter."""
        config = apply_changes(config, changes)
        with self._layers.hold(base.config.rootfs.diff_ids, unknown=True):
            return self._make(key, base, config, reference, author, comment, command)

    def _make(
        self, key: str, base: Image, config: RuntimeConfig, reference: Reference | None,
        author: str, comment: str, command: str,
    ) -> Image:  # fmt: skip
        diff_ids = base.config.rootfs.diff_ids
        with tempfile.TemporaryFile(dir=self._scratch) as archive:
            with naming(self._scratch):
                layer = self._write(key, archive.fileno())
            crash_points.reach("commit.written")
            os.lseek(archive.fileno(), 0, os.SEEK_SET)
            self._unpacker.unpack(archive.fileno(), diff_ids, layer.diff_id)
        created = timestamp()
        document: ImageConfig = msgspec.structs.replace(
            base.config,
            created=created,
            author=author or base.config.author,
            config=config,
            rootfs=RootFilesystem(diff_ids=(*diff_ids, layer.diff_id)),
            history=(
                *base.config.history,
                History(created=created, created_by=command, author=author, comment=comment),
            ),
        )
        return self._catalog.add(
            msgspec.json.encode(document), base.size + layer.content_size, now_ns(),
            references=[reference] if reference else [], parent=base.id,
        )  # fmt: skip

    def _write(self, key: str, target: int) -> DiffResult:
        paths = [str(self._snapshots.upper(key))]
        if self._snapshots.complete:
            paths += self._snapshots.lower(key)
        opened = [os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC) for path in paths]
        try:
            task = self._tasks.run_task(TASK, b"", [target, *opened])
        finally:
            for descriptor in opened:
                os.close(descriptor)
        try:
            return msgspec.json.decode(task.result(_SECONDS), type=DiffResult)
        except BaseException:
            task.kill()
            raise
