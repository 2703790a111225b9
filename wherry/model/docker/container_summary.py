"""Containers as `GET /containers/json` lists them (API 1.55, types/container.Summary)."""

from typing import Any

import msgspec


class PortSummary(msgspec.Struct, frozen=True, omit_defaults=True):
    """One exposed or published port."""

    ip: str = msgspec.field(name="IP", default="")
    private_port: int = msgspec.field(name="PrivatePort", default=0)
    public_port: int = msgspec.field(name="PublicPort", default=0)
    type: str = msgspec.field(name="Type", default="")


class MountSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One mount, as in inspect."""

    type: str = msgspec.field(name="Type")
    name: str | msgspec.UnsetType = msgspec.field(name="Name", default=msgspec.UNSET)
    source: str = msgspec.field(name="Source")
    destination: str = msgspec.field(name="Destination")
    driver: str | msgspec.UnsetType = msgspec.field(name="Driver", default=msgspec.UNSET)
    mode: str = msgspec.field(name="Mode")
    read_write: bool = msgspec.field(name="RW")
    propagation: str = msgspec.field(name="Propagation")


class SummaryHost(msgspec.Struct, frozen=True, rename="pascal"):
    """The part of the host configuration that lists show."""

    network_mode: str
    annotations: dict[str, str] | msgspec.UnsetType = msgspec.UNSET


class SummaryNetworks(msgspec.Struct, frozen=True, rename="pascal"):
    """The networks of a listed container, in a version's shape."""

    networks: dict[str, Any]


class HealthSummary(msgspec.Struct, frozen=True, rename="pascal"):
    """What the health checks of a listed container found."""

    status: str
    failing_streak: int


class ContainerSummary(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """One listed container."""

    id: str
    names: list[str]
    image: str
    image_id: str = msgspec.field(name="ImageID")
    command: str
    created: int
    ports: list[PortSummary]
    size_rw: int | msgspec.UnsetType = msgspec.UNSET
    size_root_fs: int | msgspec.UnsetType = msgspec.UNSET
    labels: dict[str, str]
    state: str
    status: str
    health: HealthSummary | msgspec.UnsetType = msgspec.UNSET
    host_config: SummaryHost
    network_settings: SummaryNetworks
    mounts: list[MountSummary]


class PruneResponse(msgspec.Struct, frozen=True, rename="pascal"):
    """The answer to a prune of containers."""

    containers_deleted: list[str] | None
    space_reclaimed: int


class UpdateResponse(msgspec.Struct, frozen=True, rename="pascal"):
    """The answer to an update."""

    warnings: list[str] | None
