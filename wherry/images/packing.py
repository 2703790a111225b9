"""The manifest that stands for an image outside: the one it came with, or one made of its layers.

An image that came with a manifest leaves with it, to the byte, if its layers' archives are those.
Of an image that was made here, or whose archives came otherwise, Docker's schema 2 is made.
"""

import tempfile
from typing import NamedTuple

import msgspec

from wherry.base.errors import DataCorrupt
from wherry.model.digest import Digest
from wherry.model.image import Image
from wherry.model.manifest import (
    DOCKER_CONFIG,
    DOCKER_LAYER,
    DOCKER_MANIFEST,
    OCI_CONFIG,
    OCI_LAYER,
    OCI_MANIFEST,
    Descriptor,
    Manifest,
    parse_manifest,
)
from wherry.store.content.layers import LayerArchives
from wherry.store.layer.compression import decompress, gzip_writer

_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_PLAIN, _GZIPPED, _ZSTANDARD = "", "+gzip", "+zstd"


class Packed(NamedTuple):
    """A manifest with what it names: its own descriptor, and the diff ids of its layers."""

    descriptor: Descriptor
    data: bytes
    manifest: Manifest
    diff_ids: tuple[str, ...]


class Packer:
    """Finds or makes manifests; blocking."""

    def __init__(self, archives: LayerArchives, scratch: str) -> None:
        self._archives = archives
        self._scratch = scratch
        self._compressions: dict[str, str] = {}

    def original(self, image: Image) -> Packed | None:
        """The manifest that an image came with, None without one or without its archives here."""
        packed = self.named(image)
        return None if packed is None or self.missing(packed) else packed

    def named(self, image: Image) -> Packed | None:
        """The manifest that an image came with, whether its archives are those or not."""
        if not image.manifest:
            return None
        try:
            manifest = parse_manifest(image.manifest, image.id)
        except DataCorrupt:
            return None
        diff_ids = image.config.rootfs.diff_ids
        if not isinstance(manifest, Manifest) or len(manifest.layers) != len(diff_ids):
            return None
        kind = image.manifest_type or manifest.media_type or OCI_MANIFEST
        described = Descriptor(
            kind, str(Digest.of(image.manifest)), len(image.manifest), platform=image.platform
        )
        return Packed(described, image.manifest, manifest, diff_ids)

    def missing(self, packed: Packed) -> list[tuple[Descriptor, str]]:
        """Layers of which another archive is here, or none, with their diff ids."""
        return [
            (layer, diff_id)
            for layer, diff_id in zip(packed.manifest.layers, packed.diff_ids, strict=True)
            if not self._archives.has(diff_id)
            or self._archives.describe(diff_id).digest != layer.digest
        ]

    def pack(self, image: Image, *, compress: bool = False) -> Packed:
        """The original manifest, or a new one; with `compress` its layers are compressed for good.

        Layers that were made here are plain until they leave for a registry.
        """
        found = self.original(image)
        if found:
            return found
        diff_ids = image.config.rootfs.diff_ids
        if compress:
            for diff_id in diff_ids:
                self._compress(diff_id)
        archives = [(self._archives.describe(name), self._compression(name)) for name in diff_ids]
        docker = all(kind == _GZIPPED for _, kind in archives)
        manifest = Manifest(
            schema_version=2,
            media_type=DOCKER_MANIFEST if docker else OCI_MANIFEST,
            config=Descriptor(DOCKER_CONFIG if docker else OCI_CONFIG, image.id, len(image.raw)),
            layers=tuple(
                Descriptor(DOCKER_LAYER if docker else OCI_LAYER + kind, item.digest, item.size)
                for item, kind in archives
            ),
        )
        data = msgspec.json.encode(manifest)
        described = Descriptor(
            manifest.media_type, str(Digest.of(data)), len(data), platform=image.platform
        )
        return Packed(described, data, manifest, diff_ids)

    def _compression(self, diff_id: str) -> str:
        digest = self._archives.describe(diff_id).digest
        if digest not in self._compressions:
            with self._archives.open(diff_id) as archive:
                start = archive.read(4)
            kind = _ZSTANDARD if start == _ZSTD else _PLAIN
            self._compressions[digest] = _GZIPPED if start.startswith(_GZIP) else kind
        return self._compressions[digest]

    def _compress(self, diff_id: str) -> None:
        if self._compression(diff_id) in (_GZIPPED, _ZSTANDARD):
            return
        with (
            self._archives.open(diff_id) as kept,
            tempfile.TemporaryFile(dir=self._scratch) as packed,
        ):
            stream = decompress(kept)
            with gzip_writer(packed) as target:
                while data := stream.read(1 << 20):
                    target.write(data)
            packed.flush()
            self._archives.replace(diff_id, packed.fileno())
