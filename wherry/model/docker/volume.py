"""Volumes as the Engine API writes them (API 1.51, types/volume)."""

from typing import Any

import msgspec


class UsageData(msgspec.Struct, frozen=True, rename="pascal"):
    """What a volume takes on disk in bytes, and how many containers refer to it; -1 unknown."""

    size: int
    ref_count: int


class VolumeResource(msgspec.Struct, frozen=True, rename="pascal"):
    """A volume, as list and inspect show it, in dockerd's order of fields."""

    created_at: str
    driver: str
    labels: dict[str, str] | None
    mountpoint: str
    name: str
    options: dict[str, str] | None
    scope: str = "local"
    status: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET
    usage_data: UsageData | msgspec.UnsetType = msgspec.UNSET


class VolumeCreateRequest(msgspec.Struct, frozen=True, rename="pascal"):
    """The body of POST /volumes/create; an empty name asks for an anonymous volume."""

    name: str | None = None
    driver: str | None = None
    driver_opts: dict[str, str] | None = None
    labels: dict[str, str] | None = None
    cluster_volume_spec: dict[str, Any] | None = None


class VolumeListResponse(msgspec.Struct, frozen=True, rename="pascal"):
    """The answer to GET /volumes."""

    volumes: list[VolumeResource]
    warnings: list[str] | None = None


class VolumesPruneResponse(msgspec.Struct, frozen=True, rename="pascal"):
    """The answer to POST /volumes/prune."""

    volumes_deleted: list[str] | None
    space_reclaimed: int
