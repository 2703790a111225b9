"""What builders say about images: in-toto statements in manifests beside them, in one index.

BuildKit's attestation storage: an entry of the index with `vnd.docker.reference.digest`, whose
layers are statements, each annotated with the type of what it states.
"""

import contextlib
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import msgspec

from wherry.base.errors import DataCorrupt, InvalidParameter
from wherry.images.catalog import ImageCatalog
from wherry.model.manifest import Descriptor, Manifest, parse_manifest
from wherry.store.content.blobs import SmallBlobs

SUBJECT = "vnd.docker.reference.digest"
_PREDICATE = "in-toto.io/predicate-type"
_LIMIT = 16 << 20
"""Bytes of the largest statement that is kept."""


class Attestation(NamedTuple):
    """One manifest with all that it names, by digest."""

    descriptor: Descriptor
    manifest: Manifest
    data: bytes
    blobs: dict[str, bytes]


class Statement(NamedTuple):
    """One statement: where it is, what it is about, and its bytes if they were asked for."""

    descriptor: Descriptor
    predicate_type: str
    data: bytes | None


class Attestations:
    """Kept as long as an index names them. Thread-safe."""

    def __init__(self, catalog: ImageCatalog, blobs: SmallBlobs) -> None:
        self._catalog = catalog
        self._blobs = blobs
        self._lock = threading.Lock()

    def take(
        self, entries: Iterable[Descriptor], read: Callable[[Descriptor, bool], bytes | None]
    ) -> None:
        """Keeps what `read` gives for attestations and their blobs; what it lacks is left out.

        The second parameter of `read` says whether a manifest is wanted. The index that names the
        entries must have been recorded before.
        """
        for entry in entries:
            if not entry.is_attestation or entry.size > _LIMIT or self.find(entry):
                continue
            data = read(entry, True)
            manifest = _parsed(data, entry) if data else None
            if data is None or manifest is None:
                continue
            parts = [item for item in (manifest.config, *manifest.layers) if item.size <= _LIMIT]
            found = [(item.digest, read(item, False)) for item in parts]
            with self._lock, contextlib.suppress(DataCorrupt):
                for digest, blob in [*found, (entry.digest, data)]:
                    if blob is not None:
                        self._blobs.write(digest, blob)

    def find(self, entry: Descriptor) -> Attestation | None:
        """An attestation that is here as a whole."""
        data = self._blobs.read(entry.digest) if entry.is_attestation else None
        manifest = _parsed(data, entry) if data else None
        if data is None or manifest is None:
            return None
        blobs = {}
        for item in (manifest.config, *manifest.layers):
            blob = self._blobs.read(item.digest)
            if blob is None:
                return None
            blobs[item.digest] = blob
        return Attestation(entry, manifest, data, blobs)

    def statements(
        self, name: str, platform: str, types: Sequence[str], *, with_data: bool
    ) -> list[Statement]:
        """What is said about an image, of some types or all; raises NoSuchPlatform, DataCorrupt."""
        image = self._catalog.get_for(name, platform)
        found: list[Statement] = []
        variants = self._catalog.variants(name)
        own = next((item.descriptor.digest for item in variants
                    if item.image and item.image.id == image.id), "")  # fmt: skip
        for entry, _ in variants:
            if (entry.annotations or {}).get(SUBJECT) != own:
                continue
            attestation = self.find(entry)
            for layer in attestation.manifest.layers if attestation else ():
                kind = (layer.annotations or {}).get(_PREDICATE, "")
                if attestation and kind and (not types or kind in types):
                    data = attestation.blobs[layer.digest] if with_data else None
                    if data is not None and not _is_json(data):
                        raise DataCorrupt(f"attestation statement {layer.digest} is no JSON")
                    found.append(Statement(layer, kind, data))
        return found

    def drop_unneeded(self) -> int:
        """Removes what no index names any more; returns the bytes."""
        with self._lock:
            needed: set[str] = set()
            for entry in self._catalog.index_entries():
                needed.add(entry.digest)
                data = self._blobs.read(entry.digest) if entry.is_attestation else None
                manifest = _parsed(data, entry) if data else None
                if manifest:
                    needed |= {item.digest for item in (manifest.config, *manifest.layers)}
            unneeded = [name for name in self._blobs.digests() if name not in needed]
            return sum(self._blobs.remove(name) for name in unneeded)


def _is_json(data: bytes) -> bool:
    try:
        msgspec.json.decode(data)
    except (msgspec.MsgspecError, RecursionError):
        return False
    return True


def _parsed(data: bytes, entry: Descriptor) -> Manifest | None:
    try:
        parsed = parse_manifest(data, entry.digest, entry.media_type)
    except (DataCorrupt, InvalidParameter):
        return None
    return parsed if isinstance(parsed, Manifest) else None
