"""An image as the engine knows it."""

import msgspec

from wherry.model.image_config import ImageConfig
from wherry.model.reference import Reference


class Image(msgspec.Struct, frozen=True):
    """One image: its configuration as bytes and as value, its layers, what names it."""

    id: str
    raw: bytes
    config: ImageConfig
    chain: tuple[str, ...]
    size: int
    added_at: int
    parent: str
    references: tuple[Reference, ...]
    repo_digests: tuple[str, ...]
