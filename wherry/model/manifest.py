"""Manifests and indexes (OCI image specification; Docker's schema 2), parsed and checked."""

from typing import Any

import msgspec

from wherry.base.errors import DataCorrupt
from wherry.model.digest import Digest

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
INDEX_TYPES = (OCI_INDEX, DOCKER_LIST)
MANIFEST_TYPES = (*INDEX_TYPES, OCI_MANIFEST, DOCKER_MANIFEST)
SCHEMA_1 = "application/vnd.docker.distribution.manifest.v1+"

_CONFIG_TYPES = (OCI_CONFIG, DOCKER_CONFIG, "application/json", "application/octet-stream",
                 "text/html", "")  # fmt: skip
"""What an image's configuration is called; the latter by registries of old."""

_ATTESTATION = "vnd.docker.reference.type"


class Platform(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an image runs on."""

    architecture: str = ""
    os: str = ""
    variant: str = ""
    os_version: str = msgspec.field(name="os.version", default="")

    @classmethod
    def parse(cls, text: str) -> "Platform":
        """From `os/architecture[/variant]`."""
        os, _, rest = text.partition("/")
        architecture, _, variant = rest.partition("/")
        return cls(architecture, os, variant)

    def satisfies(self, wanted: "Platform") -> bool:
        """Whether this is what was asked for; a part that was not named may be anything."""
        return all(
            not asked or asked == found
            for asked, found in (
                (wanted.os, self.os), (wanted.architecture, self.architecture),
                (_normal_variant(wanted), _normal_variant(self) if wanted.variant else ""),
            )
        )  # fmt: skip

    def __str__(self) -> str:
        return "/".join(part for part in (self.os, self.architecture, self.variant) if part)


def _normal_variant(platform: Platform) -> str:
    if platform.architecture == "arm64" and platform.variant == "v8":
        return ""
    return platform.variant


class Descriptor(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """A reference to content: its type, digest and size."""

    media_type: str
    digest: str
    size: int
    platform: Platform | None = None
    annotations: dict[str, str] | None = None
    urls: list[str] | None = None

    @property
    def is_attestation(self) -> bool:
        """Whether it is what a builder says about an image, rather than an image."""
        return _ATTESTATION in (self.annotations or {})


class Manifest(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """One image: its configuration and its layers, lowest first."""

    schema_version: int
    config: Descriptor
    layers: tuple[Descriptor, ...]
    media_type: str = ""


class Index(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """Several manifests, for several platforms."""

    schema_version: int
    manifests: tuple[Descriptor, ...]
    media_type: str = ""

    def choose(self, wanted: Platform) -> Descriptor | None:
        """The first manifest for a platform, None if there is none."""
        for entry in self.manifests:
            if entry.platform and not entry.is_attestation and entry.platform.satisfies(wanted):
                return entry
        return None


def parse_manifest(data: bytes, name: str, media_type: str = "") -> Manifest | Index:
    """A manifest or an index of `name`; raises DataCorrupt for what is neither, or both.

    `media_type` is what whoever gave the bytes calls them; it and the content must agree.
    """
    try:
        document: Any = msgspec.json.decode(data)
        if not isinstance(document, dict):
            raise DataCorrupt(f"the manifest of {name} is no object")
        if "manifests" in document and ("config" in document or "layers" in document):
            # CVE-2021-41190: one digest, two meanings.
            raise DataCorrupt(f"the manifest of {name} is two things at once")
        parsed: Manifest | Index
        if "manifests" in document:
            parsed = msgspec.convert(document, Index)
        elif document.get("schemaVersion") == 1:
            raise DataCorrupt(
                f"the manifest of {name} is of schema version 1, which is no longer supported: "
                "push the image again with a newer tool"
            )
        else:
            parsed = msgspec.convert(document, Manifest)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise DataCorrupt(f"the manifest of {name} cannot be read: {error}") from None
    for claimed in (media_type, parsed.media_type):
        if claimed in MANIFEST_TYPES and (claimed in INDEX_TYPES) != isinstance(parsed, Index):
            raise DataCorrupt(f"the manifest of {name} differs from its media type {claimed}")
    entries = parsed.manifests if isinstance(parsed, Index) else (parsed.config, *parsed.layers)
    for entry in entries:
        Digest.parse(entry.digest)
        if entry.size < 0:
            raise DataCorrupt(f"the manifest of {name} holds a negative size")
    return parsed


def check_is_image(manifest: Manifest) -> None:
    """Raises DataCorrupt, in Docker's words, for a manifest of something else, such as a chart."""
    if manifest.config.media_type not in _CONFIG_TYPES:
        raise DataCorrupt(
            f'Encountered remote "{manifest.config.media_type}"(unknown) when fetching'
        )
