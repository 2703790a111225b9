"""Networks as the Engine API writes them (API 1.51, types/network)."""

import msgspec

from wherry.model.docker.container import EndpointSettings


class IpamConfig(msgspec.Struct, frozen=True, omit_defaults=True, rename="pascal"):
    """One subnet of a network."""

    subnet: str | None = None
    ip_range: str | None = msgspec.field(name="IPRange", default=None)
    gateway: str | None = None
    auxiliary_addresses: dict[str, str] | None = None


class Ipam(msgspec.Struct, frozen=True, rename="pascal"):
    """The addresses of a network; clients send null for what they leave to the engine."""

    driver: str | None = "default"
    options: dict[str, str] | None = None
    config: list[IpamConfig] | None = None


class ConfigReference(msgspec.Struct, frozen=True, rename="pascal"):
    """The configuration-only network that a network takes its settings from."""

    network: str | None = ""


class NetworkCreateRequest(msgspec.Struct, frozen=True, rename="pascal"):
    """The body of POST /networks/create."""

    name: str = ""
    driver: str | None = None
    scope: str | None = None
    check_duplicate: bool | None = None
    enable_ipv4: bool | None = msgspec.field(name="EnableIPv4", default=None)
    enable_ipv6: bool | None = msgspec.field(name="EnableIPv6", default=None)
    ipam: Ipam | None = msgspec.field(name="IPAM", default=None)
    internal: bool | None = None
    attachable: bool | None = None
    ingress: bool | None = None
    config_only: bool | None = None
    config_from: ConfigReference | None = None
    options: dict[str, str] | None = None
    labels: dict[str, str] | None = None


class NetworkCreateResponse(msgspec.Struct, frozen=True, rename="pascal"):
    """The answer to POST /networks/create."""

    id: str
    warning: str = ""


class NetworkConnectRequest(msgspec.Struct, frozen=True, rename="pascal"):
    """The body of POST /networks/{id}/connect."""

    container: str = ""
    endpoint_config: EndpointSettings | None = None


class NetworkDisconnectRequest(msgspec.Struct, frozen=True, rename="pascal"):
    """The body of POST /networks/{id}/disconnect."""

    container: str = ""
    force: bool | None = None


class EndpointResource(msgspec.Struct, frozen=True):
    """A container on a network, as inspect of the network shows it."""

    name: str = msgspec.field(name="Name")
    endpoint_id: str = msgspec.field(name="EndpointID")
    mac_address: str = msgspec.field(name="MacAddress")
    ipv4_address: str = msgspec.field(name="IPv4Address")
    ipv6_address: str = msgspec.field(name="IPv6Address")


class SubnetStatus(msgspec.Struct, frozen=True):
    """How full a subnet is."""

    in_use: int = msgspec.field(name="IPsInUse")
    available: int = msgspec.field(name="DynamicIPsAvailable")


class IpamStatus(msgspec.Struct, frozen=True, rename="pascal"):
    """How full the subnets of a network are, by subnet."""

    subnets: dict[str, SubnetStatus]


class NetworkStatus(msgspec.Struct, frozen=True):
    """What a network's inspect tells since API 1.52."""

    ipam: IpamStatus = msgspec.field(name="IPAM")


class NetworkResource(msgspec.Struct, frozen=True, rename="pascal"):
    """A network, as list and inspect show it, in dockerd's order of fields."""

    name: str
    id: str
    created: str
    scope: str
    driver: str
    enable_ipv4: bool | msgspec.UnsetType = msgspec.field(name="EnableIPv4")
    enable_ipv6: bool = msgspec.field(name="EnableIPv6")
    ipam: Ipam = msgspec.field(name="IPAM")
    internal: bool
    attachable: bool
    ingress: bool
    config_from: ConfigReference
    config_only: bool
    containers: dict[str, EndpointResource]
    options: dict[str, str]
    labels: dict[str, str]
    status: NetworkStatus | msgspec.UnsetType = msgspec.UNSET


class NetworksPruneResponse(msgspec.Struct, frozen=True, rename="pascal"):
    """The answer to POST /networks/prune; null if nothing was removed."""

    networks_deleted: list[str] | None
