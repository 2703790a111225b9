"""Images from a root file system's archive (`docker import`)."""

import os
from collections.abc import Sequence

import msgspec

from wherry.base.clock import now_ns, timestamp
from wherry.base.errors import InvalidParameter
from wherry.images.catalog import ImageCatalog
from wherry.images.changes import apply_changes
from wherry.images.unpack import LayerUnpacker
from wherry.model.image import Image
from wherry.model.image_config import (
    History,
    ImageConfig,
    RootFilesystem,
    RuntimeConfig,
    host_architecture,
)
from wherry.model.reference import Reference


class ImportImage:
    """Makes an image of one layer."""

    def __init__(self, catalog: ImageCatalog, unpacker: LayerUnpacker) -> None:
        self._catalog = catalog
        self._unpacker = unpacker

    def __call__(
        self, path: str, *, reference: Reference | None = None, changes: Sequence[str] = (),
        message: str = "", architecture: str = "",
    ) -> Image:  # fmt: skip
        """Imports the archive at `path`; raises DataCorrupt, InvalidParameter."""
        config = apply_changes(RuntimeConfig(), changes)
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            if not os.fstat(descriptor).st_size:
                raise InvalidParameter("the archive is empty")
            layer = self._unpacker.unpack(descriptor, ())
        finally:
            os.close(descriptor)
        created = timestamp()
        document = ImageConfig(
            architecture=architecture or host_architecture(),
            created=created,
            config=config,
            rootfs=RootFilesystem(diff_ids=(layer.diff_id,)),
            history=(History(created=created, comment=message or "Imported from -"),),
        )
        references = [reference] if reference else []
        return self._catalog.add(
            msgspec.json.encode(document), layer.content_size, now_ns(), references=references
        )
