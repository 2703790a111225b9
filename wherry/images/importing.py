"""Images from a root file system's archive (`docker import`)."""

import os
from collections.abc import Sequence

import msgspec

from wherry.base.clock import now_ns, timestamp
from wherry.base.errors import InvalidParameter
from wherry.images.catalog import ImageCatalog
from wherry.images.changes import apply_changes
from wherry.images.layers import ImageLayers
from wherry.images.unpack import LayerUnpacker
from wherry.model.image import Image
from wherry.model.image_config import (
    History,
    ImageConfig,
    RootFilesystem,
    RuntimeConfig,
    host_architecture,
)
from wherry.model.manifest import Platform
from wherry.model.reference import Reference


class ImportImage:
    """Makes an image of one layer."""

    def __init__(self, catalog: ImageCatalog, unpacker: LayerUnpacker, layers: ImageLayers) -> None:
        self._layers = layers
        self._catalog = catalog
        self._unpacker = unpacker

    def __call__(
        self, path: str, *, reference: Reference | None = None, changes: Sequence[str] = (),
        message: str = "", platform: str = "",
    ) -> Image:  # fmt: skip
        """Imports the archive at `path` for a platform; raises DataCorrupt, InvalidParameter."""
        config = apply_changes(RuntimeConfig(), changes)
        wanted = Platform.parse(platform or f"linux/{host_architecture()}")
        if wanted.os != "linux":
            raise InvalidParameter(f'operating system is not supported: "{wanted.os}"')
        with self._layers.hold((), unknown=True):
            return self._make(path, config, reference, message, wanted)

    def _make(
        self, path: str, config: RuntimeConfig, reference: Reference | None, message: str,
        wanted: Platform,
    ) -> Image:  # fmt: skip
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            if not os.fstat(descriptor).st_size:
                raise InvalidParameter("the archive is empty")
            layer = self._unpacker.unpack(descriptor, ())
        finally:
            os.close(descriptor)
        created = timestamp()
        document = ImageConfig(
            architecture=wanted.architecture or host_architecture(),
            os="linux",
            variant=wanted.variant,
            created=created,
            config=config,
            rootfs=RootFilesystem(diff_ids=(layer.diff_id,)),
            history=(History(created=created, comment=message or "Imported from -"),),
        )
        references = [reference] if reference else []
        return self._catalog.add(
            msgspec.json.encode(document), layer.content_size, now_ns(), references=references
        )
