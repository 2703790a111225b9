"""Images as the Engine API writes them (API 1.55, types/image)."""

from typing import Any

import msgspec

from wherry.model.manifest import Descriptor, Platform

UNSET = msgspec.UNSET
Unset = msgspec.UnsetType

IMAGE, ATTESTATION, UNKNOWN = "image", "attestation", "unknown"
"""Kinds of manifests."""


class ManifestSize(msgspec.Struct, frozen=True, rename="pascal"):
    """Bytes of a manifest's blobs, and of these with what they unpack to."""

    content: int
    total: int


class UnpackedSize(msgspec.Struct, frozen=True, rename="pascal"):
    """Bytes of the files that layers unpack to."""

    unpacked: int


class PullIdentity(msgspec.Struct, frozen=True, rename="pascal"):
    """A repository that an image was pulled from or pushed to."""

    repository: str


class ImageIdentity(msgspec.Struct, frozen=True, rename="pascal"):
    """Where an image came from."""

    pull: list[PullIdentity]


class ImageData(msgspec.Struct, frozen=True, rename="pascal"):
    """What a manifest of an image has beyond others; containers are ids."""

    platform: Platform
    size: UnpackedSize
    containers: list[str] | None
    identity: ImageIdentity | Unset = UNSET


class AttestationData(msgspec.Struct, frozen=True):
    """Which manifest an attestation is about."""

    for_digest: str = msgspec.field(name="For")


class ManifestSummary(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """One manifest of an index."""

    id: str = msgspec.field(name="ID")
    descriptor: Descriptor
    available: bool
    size: ManifestSize
    kind: str
    image_data: ImageData | Unset = UNSET
    attestation_data: AttestationData | Unset = UNSET


class ImageSummary(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """One row of GET /images/json; sizes in bytes, `created` in seconds since the epoch."""

    id: str
    parent_id: str
    repo_tags: list[str]
    repo_digests: list[str]
    created: int
    size: int
    shared_size: int = -1
    labels: dict[str, str] | None
    containers: int = -1
    descriptor: Descriptor | Unset = UNSET
    manifests: list[ManifestSummary] | Unset = UNSET
    virtual_size: int | Unset = UNSET


class ImageInspect(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """The answer to GET /images/{name}/json, in dockerd's order of fields."""

    id: str
    repo_tags: list[str]
    repo_digests: list[str]
    parent: str | Unset = UNSET
    comment: str | Unset = UNSET
    created: str | Unset = UNSET
    container: str | Unset = UNSET
    container_config: dict[str, Any] | Unset | None = UNSET
    docker_version: str | Unset = UNSET
    author: str | Unset = UNSET
    config: dict[str, Any]
    architecture: str
    variant: str | Unset = UNSET
    os: str
    os_version: str | Unset = UNSET
    size: int
    virtual_size: int | Unset = UNSET
    graph_driver: dict[str, Any]
    root_fs: dict[str, Any] = msgspec.field(name="RootFS")
    metadata: dict[str, str]
    identity: ImageIdentity | Unset = UNSET
    descriptor: Descriptor | Unset = UNSET
    manifests: list[ManifestSummary] | Unset = UNSET


class HistoryRow(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """One row of GET /images/{name}/history; `created` in seconds since the epoch."""

    id: str
    created: int
    created_by: str
    tags: list[str] | None
    size: int
    comment: str


class DeleteRow(msgspec.Struct, frozen=True, rename="pascal", omit_defaults=True):
    """A name taken away, or content deleted."""

    untagged: str = ""
    deleted: str = ""


class ImagesPruneResponse(msgspec.Struct, frozen=True, rename="pascal"):
    """What a prune removed, and the bytes that it gave back."""

    images_deleted: list[DeleteRow] | None
    space_reclaimed: int
