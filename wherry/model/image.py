"""An image as the engine knows it."""

import msgspec

from wherry.model.image_config import ImageConfig
from wherry.model.manifest import Platform
from wherry.model.reference import Reference


class Image(msgspec.Struct, frozen=True):
    """One image: its configuration as bytes and as value, its layers, what names it.

    `manifest` is the one it came with, empty for images made here. `held` says that a tag's index
    names it, for another platform than the tag's own image. `tagged_at` is zero if it never was.
    `index` is the digest of the index that one of its names came by, empty if none did.
    """

    id: str
    raw: bytes
    config: ImageConfig
    chain: tuple[str, ...]
    size: int
    added_at: int
    parent: str
    references: tuple[Reference, ...]
    repo_digests: tuple[str, ...]
    manifest: bytes = b""
    manifest_type: str = ""
    held: bool = False
    tagged_at: int = 0
    index: str = ""

    @property
    def labels(self) -> dict[str, str] | None:
        """The labels of its configuration."""
        return self.config.config.labels if self.config.config else None

    @property
    def platform(self) -> Platform:
        """What it runs on."""
        return Platform(self.config.architecture, self.config.os or "linux", self.config.variant)

    @property
    def dangling(self) -> bool:
        """Whether nothing names it."""
        return not self.references and not self.held
