"""Images by id and by name: kept in memory, written as records in one transaction a change."""

import threading
from collections.abc import Sequence

import msgspec

from wherry.base.errors import Conflict, NotFound
from wherry.model.digest import Digest, chain_ids
from wherry.model.image import Image
from wherry.model.image_config import ImageConfig
from wherry.model.reference import Reference
from wherry.store.records.database import Change, Database, Delete, Put

_WAIT_SECONDS = 30


class NoSuchImage(NotFound):
    """No image has this name or id."""

    def __init__(self, name: str) -> None:
        super().__init__(f"No such image: {name}")
        self.name = name


class AmbiguousImage(NotFound):
    """Several images' ids begin so."""


class _Stored(msgspec.Struct, frozen=True, omit_defaults=True):
    raw: bytes
    size: int
    added_at: int
    parent: str = ""
    repo_digests: tuple[str, ...] = ()


class ImageCatalog:
    """All images of this engine. Thread-safe; a change returns when it is on disk."""

    def __init__(self, database: Database) -> None:
        """Reads what is recorded."""
        self._database = database
        self._lock = threading.RLock()
        self._images: dict[str, _Stored] = {
            key: msgspec.json.decode(data, type=_Stored)
            for key, data in database.read_all("image").items()
        }
        self._configs: dict[str, ImageConfig] = {}
        self._names: dict[str, str] = {
            name: data.decode() for name, data in database.read_all("tag").items()
        }

    def images(self) -> list[Image]:
        """Every image, newest first."""
        with self._lock:
            found = [self._image(key) for key in self._images]
        return sorted(found, key=lambda image: image.config.created or "", reverse=True)

    def get(self, name: str) -> Image:
        """The image of a reference, an id or a unique beginning of one; raises NoSuchImage."""
        with self._lock:
            identifier = self._resolve(name)
            if identifier is None:
                raise NoSuchImage(_shown(name))
            return self._image(identifier)

    def find(self, reference: Reference) -> Image | None:
        """The image of a normalised reference, None if there is none."""
        with self._lock:
            identifier = self._names.get(str(reference))
            return self._image(identifier) if identifier else None

    def add(
        self, raw: bytes, size: int, added_at: int, *, references: Sequence[Reference] = (),
        parent: str = "", repo_digest: str = "",
    ) -> Image:  # fmt: skip
        """Records an image, and names for it, in one transaction."""
        identifier = str(Digest.of(raw))
        with self._lock:
            known = self._images.get(identifier)
            digests = known.repo_digests if known else ()
            if repo_digest and repo_digest not in digests:
                digests = (*digests, repo_digest)
            stored = _Stored(raw, size, known.added_at if known else added_at,
                             parent or (known.parent if known else ""), digests)  # fmt: skip
            changes: list[Change] = [Put("image", identifier, msgspec.json.encode(stored))]
            changes += [Put("tag", str(item), identifier.encode()) for item in references]
            self._write(changes)
            self._images[identifier] = stored
            for item in references:
                self._names[str(item)] = identifier
            return self._image(identifier)

    def tag(self, name: str, reference: Reference) -> Image:
        """Gives an image another name, taking it from whoever had it."""
        with self._lock:
            image = self.get(name)
            self._write([Put("tag", str(reference), image.id.encode())])
            self._names[str(reference)] = image.id
            return self._image(image.id)

    def untag(self, reference: Reference) -> None:
        """Takes a name away; the image stays."""
        with self._lock:
            self._write([Delete("tag", str(reference))])
            self._names.pop(str(reference), None)

    def remove(self, identifier: str) -> tuple[str, ...]:
        """Forgets an image and its names; returns the chain ids that no other image uses."""
        with self._lock:
            image = self._image(identifier)
            changes: list[Change] = [Delete("image", identifier)]
            names = [name for name, target in self._names.items() if target == identifier]
            changes += [Delete("tag", name) for name in names]
            self._write(changes)
            del self._images[identifier]
            self._configs.pop(identifier, None)
            for name in names:
                del self._names[name]
            used = {item for key in self._images for item in self._image(key).chain}
            return tuple(item for item in image.chain if item not in used)

    def used_layers(self) -> set[str]:
        """Chain ids that images need."""
        with self._lock:
            return {item for key in self._images for item in self._image(key).chain}

    def children(self, identifier: str) -> list[str]:
        """Images that were committed on top of this one."""
        with self._lock:
            return [key for key, stored in self._images.items() if stored.parent == identifier]

    def _write(self, changes: Sequence[Change]) -> None:
        self._database.submit(changes, durable=True).result(_WAIT_SECONDS)

    def _image(self, identifier: str) -> Image:
        stored = self._images[identifier]
        config = self._configs.get(identifier)
        if config is None:
            config = msgspec.json.decode(stored.raw, type=ImageConfig)
            self._configs[identifier] = config
        names = [name for name, target in self._names.items() if target == identifier]
        references = tuple(Reference.parse(name) for name in sorted(names))
        return Image(
            identifier, stored.raw, config, chain_ids(config.rootfs.diff_ids), stored.size,
            stored.added_at, stored.parent, references, stored.repo_digests,
        )  # fmt: skip

    def _resolve(self, name: str) -> str | None:
        plain = name.removeprefix("sha256:")
        if f"sha256:{plain}" in self._images:
            return f"sha256:{plain}"
        if not name.startswith("sha256:"):
            reference = Reference.parse(name)
            found = self._names.get(str(reference)) or self._by_digest(reference)
            if found:
                return found
        if not plain or any(char not in "0123456789abcdef" for char in plain):
            return None
        matches = [key for key in self._images if key.startswith(f"sha256:{plain}")]
        if len(matches) > 1:
            raise AmbiguousImage(f"No such image: {name}: multiple IDs found with this prefix")
        return matches[0] if matches else None

    def _by_digest(self, reference: Reference) -> str | None:
        if not reference.digest:
            return None
        wanted = f"{reference.familiar_name}@{reference.digest}"
        for key, stored in self._images.items():
            if wanted in stored.repo_digests:
                return key
        return None


class ImageInUse(Conflict):
    """A container or another name holds the image."""


def _shown(name: str) -> str:
    if name.startswith("sha256:"):
        return name
    return Reference.parse(name).familiar()
