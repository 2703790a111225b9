"""Images as one archive: Docker's manifest.json and an OCI layout over the same blobs."""

import io
import json
import tarfile
import tempfile
from collections.abc import Sequence
from typing import Any

from wherry.model.digest import Digest
from wherry.model.image import Image
from wherry.model.reference import Reference
from wherry.store.content.layers import LayerArchives
from wherry.store.layer.apply import decompress

_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar"


class SaveImages:
    """Writes archives that `docker load` and OCI tools read."""

    def __init__(self, archives: LayerArchives, scratch: str) -> None:
        self._archives = archives
        self._scratch = scratch

    def __call__(self, path: str, chosen: Sequence[tuple[Image, Sequence[Reference]]]) -> None:
        """Writes images, each with the names to save it under, to a file at `path`."""
        written: set[str] = set()
        manifests: list[dict[str, Any]] = []
        entries: list[dict[str, Any]] = []
        with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
            for image, references in chosen:
                manifest = self._image(archive, image, written)
                digest = _add_blob(archive, manifest, written)
                for reference in references or (None,):
                    entries.append(_index_entry(digest, len(manifest), reference))
                manifests.append({
                    "Config": _blob(image.id),
                    "RepoTags": [item.familiar() for item in references] or None,
                    "Layers": [_blob(item) for item in image.config.rootfs.diff_ids],
                })  # fmt: skip
            index = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json",
                     "manifests": entries}  # fmt: skip
            _add(archive, "index.json", json.dumps(index).encode())
            _add(archive, "manifest.json", json.dumps(manifests).encode())
            _add(archive, "oci-layout", b'{"imageLayoutVersion":"1.0.0"}')

    def _image(self, archive: tarfile.TarFile, image: Image, written: set[str]) -> bytes:
        _add_blob(archive, image.raw, written)
        layers = []
        for diff_id in image.config.rootfs.diff_ids:
            size = self._add_layer(archive, diff_id, written)
            layers.append({"mediaType": _LAYER, "digest": diff_id, "size": size})
        return json.dumps({
            "schemaVersion": 2, "mediaType": _MANIFEST,
            "config": {"mediaType": _CONFIG, "digest": image.id, "size": len(image.raw)},
            "layers": layers,
        }).encode()  # fmt: skip

    def _add_layer(self, archive: tarfile.TarFile, diff_id: str, written: set[str]) -> int:
        """A layer, uncompressed: its digest is then its diff id."""
        with (
            self._archives.open(diff_id) as kept,
            tempfile.TemporaryFile(dir=self._scratch) as plain,
        ):
            stream = decompress(kept)
            while data := stream.read(1 << 20):
                plain.write(data)
            size = plain.tell()
            if diff_id not in written:
                written.add(diff_id)
                plain.seek(0)
                entry = tarfile.TarInfo(_blob(diff_id))
                entry.size, entry.mode = size, 0o644
                archive.addfile(entry, plain)
        return size


def _blob(digest: str) -> str:
    parsed = Digest.parse(digest)
    return f"blobs/{parsed.algorithm}/{parsed.hex}"


def _index_entry(digest: str, size: int, reference: Reference | None) -> dict[str, Any]:
    entry: dict[str, Any] = {"mediaType": _MANIFEST, "digest": digest, "size": size}
    if reference:
        entry["annotations"] = {
            "io.containerd.image.name": str(reference),
            "org.opencontainers.image.ref.name": reference.tag,
        }
    return entry


def _add_blob(archive: tarfile.TarFile, data: bytes, written: set[str]) -> str:
    digest = str(Digest.of(data))
    if digest not in written:
        written.add(digest)
        _add(archive, _blob(digest), data)
    return digest


def _add(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(data), 0o644
    archive.addfile(entry, io.BytesIO(data))
