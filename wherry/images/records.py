"""What is written down of images and of their names."""

from typing import NamedTuple

import msgspec

from wherry.model.image import Image
from wherry.model.manifest import Descriptor


class Origin(msgspec.Struct, frozen=True):
    """Where an image came from: its manifest, the index above it, the repository of its blobs."""

    manifest: bytes
    media_type: str
    index: bytes = b""
    repository: str = ""


class Variant(NamedTuple):
    """One manifest of a name: what the index says of it, and the image if it is here."""

    descriptor: Descriptor
    image: Image | None


class StoredImage(msgspec.Struct, frozen=True, omit_defaults=True):
    """An image by its id; `size` in bytes, `added_at` in nanoseconds since the epoch."""

    raw: bytes
    size: int
    added_at: int
    parent: str = ""
    repo_digests: tuple[str, ...] = ()
    manifest: bytes = b""
    manifest_type: str = ""
    manifest_digest: str = ""


class StoredName(msgspec.Struct, frozen=True, omit_defaults=True):
    """A name: the image that it means, and the digest of the index that it came by."""

    image: str
    tagged_at: int
    index: str = ""
