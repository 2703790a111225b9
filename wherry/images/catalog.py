"""Images by id and by name: kept in memory, written as records in one transaction a change.

A name means an image. If it came by an index, the name keeps that, too: so images of other
platforms that are here belong to the name as well, and are not taken for forgotten ones.
"""

import threading
from collections.abc import Iterator, Sequence
from typing import TypeVar

import msgspec

from wherry.base import crash_points
from wherry.base.clock import now_ns
from wherry.base.errors import DataCorrupt
from wherry.images.errors import AmbiguousImage, NoSuchImage, NoSuchPlatform
from wherry.images.records import Origin, StoredImage, StoredName, Variant
from wherry.model.digest import Digest, chain_ids
from wherry.model.image import Image
from wherry.model.image_config import ImageConfig
from wherry.model.manifest import OCI_INDEX, Descriptor, Index, Platform, parse_manifest
from wherry.model.reference import Reference
from wherry.store.records.database import Change, Database, Delete, Put

_WAIT_SECONDS = 30
_ID_LENGTH = 64
_DIGITS = frozenset("0123456789abcdef")
T = TypeVar("T")


class _MediaType(msgspec.Struct, frozen=True, rename="camel"):
    media_type: str = OCI_INDEX


class ImageCatalog:
    """All images of this engine. Thread-safe; a change returns when it is on disk."""

    def __init__(self, database: Database) -> None:
        """Reads what is recorded."""
        self._database = database
        self._lock = threading.RLock()
        self._images = _decoded(database, "image", StoredImage)
        self._names = _decoded(database, "tag", StoredName)
        self._indexes: dict[str, bytes] = dict(database.read_all("index"))
        self._configs: dict[str, ImageConfig] = {}
        self._references: dict[str, Reference] = {}
        self._entries: dict[str, tuple[Descriptor, ...]] = {}
        self._described: dict[str, Descriptor] = {}

    def images(self) -> list[Image]:
        """Every image, newest first."""
        with self._lock:
            held = self._held()
            named = self._named()
            found = [self._image(key, named, held) for key in self._images]
        return sorted(found, key=lambda image: image.config.created or "", reverse=True)

    def get(self, name: str) -> Image:
        """The image of a reference, an id or a unique beginning of one; raises NoSuchImage."""
        with self._lock:
            identifier = self._resolve(name)
            if identifier is None:
                raise NoSuchImage(_shown(name))
            return self._image(identifier)

    def get_for(self, name: str, platform: str) -> Image:
        """As `get`, for a platform if one is named; raises NoSuchPlatform."""
        image = self.get(name)
        wanted = Platform.parse(platform)
        if not platform or image.platform.satisfies(wanted):
            return image
        for variant in self.variants(name):
            if variant.image is not None and variant.image.platform.satisfies(wanted):
                return variant.image
        raise NoSuchPlatform(_shown(name), platform)

    def has(self, identifier: str) -> bool:
        """Whether there is an image of this id."""
        with self._lock:
            return identifier in self._images

    def find(self, reference: Reference) -> Image | None:
        """The image of a normalised reference, None if there is none."""
        with self._lock:
            found = self._names.get(str(reference))
            return self._image(found.image) if found else None

    def tags(self, repository: str) -> list[str]:
        """The tags here of a repository, by its full name."""
        with self._lock:
            found = [self._reference(name) for name in self._names]
        return sorted(item.tag for item in found if item.name == repository)

    def repositories(self, domain: str, diff_id: str) -> list[str]:
        """Paths of the repositories of a registry that are known to have a layer."""
        with self._lock:
            known = {item.partition("@")[0] for key, stored in self._images.items()
                     if stored.repo_digests and diff_id in self._config(key).rootfs.diff_ids
                     for item in stored.repo_digests}  # fmt: skip
        found = [Reference.parse_bare(name) for name in sorted(known)]
        return [item.path for item in found if item.domain == domain]

    def id_of(self, name: str) -> str:
        """The id of a name's image, empty if there is none: lists ask this for each container."""
        with self._lock:
            return self._resolve(name) or ""

    def size_of(self, identifier: str) -> int:
        """The bytes of an image's layers, 0 if there is no such image."""
        with self._lock:
            stored = self._images.get(identifier)
            return stored.size if stored else 0

    def variants(self, name: str) -> list[Variant]:
        """Every manifest that a name, or an image by its id, stands for; raises NoSuchImage."""
        with self._lock:
            image = self.get(name)
            index = self._index_of(name, image)
            if not index:
                if not image.manifest:
                    return []
                described = Descriptor(
                    image.manifest_type, str(Digest.of(image.manifest)), len(image.manifest),
                    platform=image.platform,
                )  # fmt: skip
                return [Variant(described, image)]
            return [Variant(entry, self._by_manifest(entry.digest))
                    for entry in self._entries_of(index)]  # fmt: skip

    def index_of(self, name: str) -> bytes:
        """The index that a name came by, empty if it came by none; raises NoSuchImage."""
        with self._lock:
            return self._indexes.get(self._index_of(name, self.get(name)), b"")

    def index_entries(self) -> list[Descriptor]:
        """The entries of all names' indexes."""
        with self._lock:
            return [entry for index in self._indexes for entry in self._entries_of(index)]

    def describe_index(self, digest: str) -> Descriptor | None:
        """The descriptor of an index that a name came by, None if there is no such index."""
        with self._lock:
            data = self._indexes.get(digest)
            if data is None:
                return None
            if digest not in self._described:
                kind = msgspec.json.decode(data, type=_MediaType).media_type
                self._described[digest] = Descriptor(kind, digest, len(data))
            return self._described[digest]

    def add(
        self, raw: bytes, size: int, added_at: int, *, references: Sequence[Reference] = (),
        parent: str = "", repo_digest: str = "", origin: Origin | None = None,
    ) -> Image:  # fmt: skip
        """Records an image, and names for it, in one transaction."""
        identifier = str(Digest.of(raw))
        with self._lock:
            stored = self._stored(identifier, raw, size, added_at, parent, repo_digest, origin)
            changes: list[Change] = [Put("image", identifier, msgspec.json.encode(stored))]
            index = ""
            if origin and origin.index and references:
                index = str(Digest.of(origin.index))
                changes.append(Put("index", index, origin.index))
            named = StoredName(identifier, now_ns(), index)
            for item in references:
                changes.append(Put("tag", str(item), msgspec.json.encode(named)))
            changes += self._lost_indexes({str(item) for item in references}, index)
            self._write(changes)
            crash_points.reach("image.recorded")
            self._images[identifier] = stored
            if index and origin:
                self._indexes[index] = origin.index
            for item in references:
                self._names[str(item)] = named
            self._forget(changes)
            return self._image(identifier)

    def tag(self, name: str, reference: Reference, *, keep_index: bool = False) -> Image:
        """Gives an image another name, taking it from whoever had it.

        With `keep_index` the name goes on to stand for the index that it came by.
        """
        with self._lock:
            image = self.get(name)
            index = self._index_of(name, image)
            if keep_index and str(reference) in self._names:
                index = self._names[str(reference)].index
            named = StoredName(image.id, now_ns(), index)
            changes: list[Change] = [Put("tag", str(reference), msgspec.json.encode(named))]
            changes += self._lost_indexes({str(reference)}, named.index)
            self._write(changes)
            self._names[str(reference)] = named
            self._forget(changes)
            return self._image(image.id)

    def untag(self, reference: Reference) -> None:
        """Takes a name away; the image stays."""
        with self._lock:
            changes: list[Change] = [Delete("tag", str(reference))]
            changes += self._lost_indexes({str(reference)}, "")
            self._write(changes)
            self._names.pop(str(reference), None)
            self._forget(changes)

    def drop_digests(self, identifier: str, repository: str, digest: str = "") -> list[str]:
        """Forgets one digest, or all, by which a repository names an image; returns them."""
        with self._lock:
            stored = self._images[identifier]
            gone = [item for item in stored.repo_digests
                    if item.partition("@")[0] == repository
                    and digest in ("", item.partition("@")[2])]  # fmt: skip
            left = tuple(item for item in stored.repo_digests if item not in gone)
            if gone:
                changed = msgspec.structs.replace(stored, repo_digests=left)
                self._write([Put("image", identifier, msgspec.json.encode(changed))])
                self._images[identifier] = changed
            return gone

    def remove(self, identifier: str) -> None:
        """Forgets an image and its names."""
        with self._lock:
            names = {name for name, found in self._names.items() if found.image == identifier}
            changes: list[Change] = [Delete("image", identifier)]
            changes += [Delete("tag", name) for name in names]
            changes += self._lost_indexes(names, "")
            self._write(changes)
            del self._images[identifier]
            self._configs.pop(identifier, None)
            for name in names:
                del self._names[name]
            self._forget(changes)

    def used_layers(self) -> set[str]:
        """Chain ids that images need."""
        with self._lock:
            return {item for key in self._images for item in self._chain(key)}

    def used_diff_ids(self) -> set[str]:
        """Diff ids of all images' layers, whose archives are needed."""
        with self._lock:
            return {item for key in self._images for item in self._config(key).rootfs.diff_ids}

    def parents(self) -> set[str]:
        """Images that others were committed on top of."""
        with self._lock:
            return {stored.parent for stored in self._images.values()} - {""}

    def children(self, identifier: str) -> list[str]:
        """Images that were committed on top of this one."""
        with self._lock:
            return [key for key, stored in self._images.items() if stored.parent == identifier]

    def _stored(
        self, identifier: str, raw: bytes, size: int, added_at: int, parent: str,
        repo_digest: str, origin: Origin | None,
    ) -> StoredImage:  # fmt: skip
        known = self._images.get(identifier)
        digests = known.repo_digests if known else ()
        if repo_digest and repo_digest not in digests:
            digests = (*digests, repo_digest)
        manifest, kind = (origin.manifest, origin.media_type) if origin else (b"", "")
        if not manifest and known:
            manifest, kind = known.manifest, known.manifest_type
        return StoredImage(
            raw, size, known.added_at if known else added_at,
            parent or (known.parent if known else ""), digests, manifest, kind,
            str(Digest.of(manifest)) if manifest else "",
        )  # fmt: skip

    def _write(self, changes: Sequence[Change]) -> None:
        self._database.submit(changes, durable=True).result(_WAIT_SECONDS)

    def _lost_indexes(self, changed: set[str], kept: str) -> list[Change]:
        """Deletions of the indexes that only names in `changed` had."""
        had = {found.index for name, found in self._names.items() if name in changed}
        have = {found.index for name, found in self._names.items() if name not in changed}
        return [Delete("index", digest) for digest in sorted(had - have - {kept, ""})]

    def _forget(self, changes: Sequence[Change]) -> None:
        for change in changes:
            if isinstance(change, Delete) and change.kind == "index":
                self._indexes.pop(change.id, None)
                self._entries.pop(change.id, None)
                self._described.pop(change.id, None)

    def _index_of(self, name: str, image: Image) -> str:
        """The digest of the index of a name; of an id, that of one of its names."""
        if not name.startswith("sha256:") and not _is_beginning(name, image.id):
            found = self._names.get(str(Reference.parse(name)))
            if found:
                return found.index
        return next((found.index for found in self._names.values()
                     if found.image == image.id and found.index), "")  # fmt: skip

    def _entries_of(self, index: str) -> tuple[Descriptor, ...]:
        if index not in self._entries:
            try:
                parsed = parse_manifest(self._indexes[index], index)
            except DataCorrupt:
                return ()
            self._entries[index] = parsed.manifests if isinstance(parsed, Index) else ()
        return self._entries[index]

    def _by_manifest(self, digest: str) -> Image | None:
        for key, stored in self._images.items():
            if stored.manifest_digest == digest:
                return self._image(key)
        return None

    def _held(self) -> set[str]:
        """Digests of the manifests in names' indexes."""
        return {entry.digest for index in self._indexes for entry in self._entries_of(index)}

    def _named(self) -> dict[str, list[str]]:
        named: dict[str, list[str]] = {}
        for name, found in self._names.items():
            named.setdefault(found.image, []).append(name)
        return named

    def _chain(self, identifier: str) -> tuple[str, ...]:
        return chain_ids(self._config(identifier).rootfs.diff_ids)

    def _config(self, identifier: str) -> ImageConfig:
        config = self._configs.get(identifier)
        if config is None:
            config = msgspec.json.decode(self._images[identifier].raw, type=ImageConfig)
            self._configs[identifier] = config
        return config

    def _image(
        self, identifier: str, named: dict[str, list[str]] | None = None,
        held: set[str] | None = None,
    ) -> Image:  # fmt: skip
        stored = self._images[identifier]
        names = (self._named() if named is None else named).get(identifier, [])
        held = self._held() if held is None else held
        return Image(
            identifier, stored.raw, self._config(identifier), self._chain(identifier), stored.size,
            stored.added_at, stored.parent, tuple(map(self._reference, sorted(names))),
            stored.repo_digests, stored.manifest, stored.manifest_type,
            stored.manifest_digest in held,
            max((self._names[name].tagged_at for name in names), default=0),
            next((self._names[name].index for name in names if self._names[name].index), ""),
        )  # fmt: skip

    def _reference(self, name: str) -> Reference:
        if name not in self._references:
            self._references[name] = Reference.parse(name)
        return self._references[name]

    def _resolve(self, name: str) -> str | None:
        plain = name.removeprefix("sha256:")
        if f"sha256:{plain}" in self._images:
            return f"sha256:{plain}"
        if not name.startswith("sha256:") and not _is_whole_id(name):
            reference = Reference.parse(name)
            by_name = self._names.get(str(reference))
            found = by_name.image if by_name else self._by_digest(reference)
            if found:
                return found
        if not plain or set(plain) - _DIGITS:
            return None
        matches = list(self._beginning(plain))
        if len(matches) > 1:
            raise AmbiguousImage(f"No such image: {name}: multiple IDs found with this prefix")
        return matches[0] if matches else None

    def _beginning(self, plain: str) -> Iterator[str]:
        return (key for key in self._images if key.startswith(f"sha256:{plain}"))

    def _by_digest(self, reference: Reference) -> str | None:
        if not reference.digest:
            return None
        wanted = f"{reference.familiar_name}@{reference.digest}"
        matches = [key for key, stored in self._images.items() if wanted in stored.repo_digests]
        # The digest of an index may mean several: the one that a tag means comes first.
        tagged = {found.image for found in self._names.values()}
        return next((key for key in matches if key in tagged), matches[0] if matches else None)


def is_id(name: str, image: Image) -> bool:
    """Whether a name is (the beginning of) the image's id, and none of its references."""
    if not _is_beginning(name, image.id):
        return False
    plain = name.removeprefix("sha256:")
    return name != plain or all(item.familiar_name != name for item in image.references)


def _is_beginning(name: str, identifier: str) -> bool:
    return identifier.removeprefix("sha256:").startswith(name.removeprefix("sha256:"))


def _decoded(database: Database, kind: str, type_: type[T]) -> dict[str, T]:
    return {key: msgspec.json.decode(data, type=type_)
            for key, data in database.read_all(kind).items()}  # fmt: skip


def _is_whole_id(name: str) -> bool:
    return len(name) == _ID_LENGTH and not set(name) - _DIGITS


def _shown(name: str) -> str:
    if name.startswith("sha256:"):
        return name
    if _is_whole_id(name):
        return f"sha256:{name}"
    return Reference.parse(name).familiar()
