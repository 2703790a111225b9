"""Images as one archive: Docker's manifest.json and an OCI layout over the same blobs.

An image that came from a registry or a layout keeps its manifest and its compressed layers, and an
index stays whole where all of it is here. What was made here is saved with plain layers.
"""

import io
import json
import tarfile
import tempfile
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from wherry.base.errors import NotFound
from wherry.images.archive import blob_path
from wherry.images.attestations import SUBJECT, Attestation, Attestations
from wherry.images.catalog import ImageCatalog
from wherry.images.packing import Packed, Packer
from wherry.model.digest import Digest
from wherry.model.image import Image
from wherry.model.manifest import (
    OCI_CONFIG,
    OCI_INDEX,
    OCI_LAYER,
    OCI_MANIFEST,
    Descriptor,
    Index,
    Manifest,
    Platform,
)
from wherry.model.reference import Reference
from wherry.store.content.layers import LayerArchives
from wherry.store.layer.compression import decompress


class Chosen(NamedTuple):
    """What to save: an image, by an index if it has one, under names."""

    image: Image
    references: Sequence[Reference]


class SaveImages:
    """Writes archives that `docker load` and OCI tools read."""

    def __init__(
        self, catalog: ImageCatalog, packer: Packer, archives: LayerArchives, scratch: str,
        attestations: Attestations,
    ) -> None:  # fmt: skip
        self._attestations = attestations
        self._catalog = catalog
        self._packer = packer
        self._archives = archives
        self._scratch = scratch

    def __call__(self, path: str, chosen: Sequence[Chosen], platforms: Sequence[str]) -> None:
        """Writes images to a file at `path`; raises NotFound if one has none of `platforms`."""
        with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
            writer = _Writer(archive, self._archives, self._scratch)
            for item in chosen:
                self._one(writer, item, [Platform.parse(text) for text in platforms])
            writer.finish()

    def _one(self, writer: "_Writer", item: Chosen, platforms: Sequence[Platform]) -> None:
        images, index = self._images(item, platforms)
        packed = [writer.image(image, self._packer.original(image)) for image in images]
        if index:
            top = Descriptor(_kind(index), str(Digest.of(index)), len(index))
        elif len(packed) > 1:
            index = msgspec.json.encode(
                Index(2, tuple(entry.descriptor for entry in packed), OCI_INDEX)
            )
            top = Descriptor(OCI_INDEX, str(Digest.of(index)), len(index))
        else:
            top = packed[0].descriptor
        if index:
            writer.blob(top.digest, index)
            for attestation in self._about(packed, item):
                writer.blob(attestation.descriptor.digest, attestation.data)
                for digest, data in attestation.blobs.items():
                    writer.blob(digest, data)
        writer.entry(top, packed[0], item.references)

    def _images(self, item: Chosen, platforms: Sequence[Platform]) -> tuple[list[Image], bytes]:
        """The images to save, the main one first, and their index if it is saved as it is."""
        name = _name(item)
        variants = self._catalog.variants(name)
        here = [variant.image for variant in variants if variant.image] or [item.image]
        here.sort(key=lambda image: image.id != item.image.id)
        wanted = [
            image
            for image in here
            if not platforms or any(image.platform.satisfies(one) for one in platforms)
        ]
        if not wanted:
            names = ", ".join(map(str, platforms))
            raise NotFound(f"no suitable export target found for platform {names}")
        absent = [entry for entry, image in variants
                  if not image and not self._attestations.find(entry)]  # fmt: skip
        whole = not absent and wanted == here and all(map(self._packer.original, wanted))
        return wanted, self._catalog.index_of(name) if whole else b""

    def _about(self, packed: Sequence[Packed], item: Chosen) -> list[Attestation]:
        """The attestations of what is saved."""
        saved = {entry.descriptor.digest for entry in packed}
        found = [self._attestations.find(entry)
                 for entry, _ in self._catalog.variants(_name(item))
                 if (entry.annotations or {}).get(SUBJECT) in saved]  # fmt: skip
        return [attestation for attestation in found if attestation]


class _Writer:
    """One archive being written."""

    def __init__(self, archive: tarfile.TarFile, archives: LayerArchives, scratch: str) -> None:
        self._archive = archive
        self._archives = archives
        self._scratch = scratch
        self._written: set[str] = set()
        self._manifests: list[dict[str, Any]] = []
        self._entries: list[dict[str, Any]] = []

    def image(self, image: Image, original: Packed | None) -> Packed:
        """Writes an image's blobs; returns the manifest that it has in the archive."""
        self.blob(image.id, image.raw)
        packed = original or self._plain(image)
        if original:
            for layer, diff_id in zip(original.manifest.layers, original.diff_ids, strict=True):
                with self._archives.open(diff_id) as kept:
                    self._stream(layer.digest, kept, layer.size)
        self.blob(packed.descriptor.digest, packed.data)
        return packed

    def entry(self, top: Descriptor, main: Packed, references: Sequence[Reference]) -> None:
        """Names what was written, in both of the archive's lists."""
        for reference in references or (None,):
            entry: dict[str, Any] = msgspec.to_builtins(top)
            if reference:
                entry["annotations"] = {
                    "io.containerd.image.name": str(reference),
                    "org.opencontainers.image.ref.name": reference.tag,
                }
            self._entries.append(entry)
        self._manifests.append({
            "Config": blob_path(main.manifest.config.digest),
            "RepoTags": [item.familiar() for item in references] or None,
            "Layers": [blob_path(layer.digest) for layer in main.manifest.layers],
        })  # fmt: skip

    def finish(self) -> None:
        """Writes the lists."""
        index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": self._entries}
        self._add("index.json", json.dumps(index).encode())
        self._add("manifest.json", json.dumps(self._manifests).encode())
        self._add("oci-layout", b'{"imageLayoutVersion":"1.0.0"}')

    def blob(self, digest: str, data: bytes) -> None:
        """Writes a small blob, once."""
        if digest not in self._written:
            self._written.add(digest)
            self._add(blob_path(digest), data)

    def _plain(self, image: Image) -> Packed:
        """Layers uncompressed: their digests are then their diff ids."""
        diff_ids = image.config.rootfs.diff_ids
        layers = tuple(Descriptor(OCI_LAYER, item, self._unpacked(item)) for item in diff_ids)
        config = Descriptor(OCI_CONFIG, image.id, len(image.raw))
        manifest = Manifest(2, config, layers, OCI_MANIFEST)
        data = msgspec.json.encode(manifest)
        described = Descriptor(
            OCI_MANIFEST, str(Digest.of(data)), len(data), platform=image.platform
        )
        return Packed(described, data, manifest, diff_ids)

    def _unpacked(self, diff_id: str) -> int:
        """Writes a layer, uncompressed; returns its size in bytes."""
        with (
            self._archives.open(diff_id) as kept,
            tempfile.TemporaryFile(dir=self._scratch) as plain,
        ):
            stream = decompress(kept)
            while data := stream.read(1 << 20):
                plain.write(data)
            size = plain.tell()
            plain.seek(0)
            self._stream(diff_id, plain, size)
        return size

    def _stream(self, digest: str, source: Any, size: int) -> None:
        if digest in self._written:
            return
        self._written.add(digest)
        entry = tarfile.TarInfo(blob_path(digest))
        entry.size, entry.mode = size, 0o644
        self._archive.addfile(entry, source)

    def _add(self, name: str, data: bytes) -> None:
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode = len(data), 0o644
        self._archive.addfile(entry, io.BytesIO(data))


def _name(item: Chosen) -> str:
    return item.references[0].familiar() if item.references else item.image.id


def _kind(index: bytes) -> str:
    return msgspec.json.decode(index, type=Index).media_type or OCI_INDEX
