"""What everything takes on disk, as the Engine API writes it (API 1.55, GET /system/df)."""

from typing import Any, Generic, TypeVar

import msgspec

T = TypeVar("T")


class ImageItem(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """One image with the bytes that it shares with others."""

    containers: int
    created: int
    id: str
    labels: dict[str, str] | None
    parent_id: str
    repo_digests: list[str]
    repo_tags: list[str]
    shared_size: int
    size: int


class Usage(
    msgspec.Struct, Generic[T], frozen=True, kw_only=True, omit_defaults=True, rename="pascal"
):
    """One kind of object: how many there are and are in use, bytes in all and to be freed."""

    active_count: int = 0
    items: list[T] = []
    reclaimable: int = 0
    total_count: int = 0
    total_size: int = 0


class Orphan(msgspec.Struct, frozen=True, rename="pascal"):
    """A directory below the data root that belongs to nothing which the engine knows."""

    path: str
    size: int


class DataRootUsage(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """All bytes below the data root by what they are; no part of Docker's answer."""

    path: str
    size: int
    layers: int
    archives: int
    writable: int
    logs: int
    container_files: int
    volumes: int
    partial: int
    scratch: int
    records: int
    other: int
    orphans: list[Orphan]


class DiskUsageResponse(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """The answer to GET /system/df: the fields before 1.52, those since, and the data root."""

    layers_size: int | msgspec.UnsetType = msgspec.UNSET
    images: list[Any] | msgspec.UnsetType = msgspec.UNSET
    containers: list[Any] | msgspec.UnsetType = msgspec.UNSET
    volumes: list[Any] | msgspec.UnsetType = msgspec.UNSET
    build_cache: list[Any] | msgspec.UnsetType = msgspec.UNSET
    image_usage: Usage[ImageItem] | msgspec.UnsetType = msgspec.UNSET
    container_usage: Usage[Any] | msgspec.UnsetType = msgspec.UNSET
    volume_usage: Usage[Any] | msgspec.UnsetType = msgspec.UNSET
    build_cache_usage: Usage[Any] | msgspec.UnsetType = msgspec.UNSET
    data_root: DataRootUsage | msgspec.UnsetType = msgspec.UNSET
