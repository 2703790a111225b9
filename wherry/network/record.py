"""What a network is: the durable description of it, as create made it."""

import ipaddress

import msgspec

from wherry.base.errors import InvalidParameter
from wherry.network import driver_options as opt
from wherry.network.errors import BadAddress
from wherry.network.ipam import first_address


class Subnet(msgspec.Struct, frozen=True, omit_defaults=True):
    """One subnet of a network: CIDR, gateway and reserved addresses without prefix length."""

    subnet: str
    gateway: str = ""
    ip_range: str = ""
    auxiliary: dict[str, str] = {}


class NetworkRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """A network. `driver` is bridge, macvlan, ipvlan, host or null.

    `bridge` is the link's name on the host; for macvlan and ipvlan that of their parent, and
    `made_parent` says that the engine made it. One that is `config_only` is nothing but settings,
    which a network that has it as `config_from` takes over.
    """

    id: str
    name: str
    driver: str
    created: str
    subnets: tuple[Subnet, ...] = ()
    bridge: str = ""
    internal: bool = False
    attachable: bool = False
    enable_ipv4: bool = True
    enable_ipv6: bool = False
    ipam_driver: str = "default"
    ipam_options: dict[str, str] | None = None
    options: dict[str, str] = {}
    labels: dict[str, str] = {}
    foreign_bridge: bool = False
    config_only: bool = False
    config_from: str = ""
    made_parent: bool = False

    @property
    def predefined(self) -> bool:
        """Whether the network is part of the engine and cannot be removed."""
        return self.name in ("bridge", "host", "none")

    @property
    def plain(self) -> bool:
        """Whether endpoints on it have neither interface nor addresses."""
        return self.driver in ("host", "null")

    @property
    def icc(self) -> bool:
        """Whether containers of the network reach each other."""
        return opt.flag(self.options, opt.ICC, default=True)

    @property
    def masquerade(self) -> bool:
        """Whether what leaves the network takes the host's address."""
        return opt.flag(self.options, opt.MASQUERADE, default=True)

    @property
    def mtu(self) -> int:
        """The MTU in bytes, 0 for the kernel's."""
        return int(self.options.get(opt.MTU, "0") or 0)

    @property
    def host_binding(self) -> str:
        """The address that ports are published on when a container names none."""
        return self.options.get(opt.HOST_BINDING, "")

    @property
    def interface_prefix(self) -> str:
        """What the names of interfaces in containers begin with."""
        return self.options.get(opt.INTERFACE_PREFIX, "") or "eth"

    @property
    def bridge_addressed(self) -> bool:
        """Whether the bridge itself has the IPv4 gateway's address."""
        return not opt.flag(self.options, opt.INHIBIT_IPV4, default=False)

    @property
    def mode(self) -> str:
        """The mode of macvlan or ipvlan links, empty for the usual one."""
        return self.options.get(f"{self.driver}_mode", "")

    @property
    def link_flag(self) -> str:
        """What ipvlan links let pass between each other: bridge (all), private or vepa."""
        return self.options.get(opt.IPVLAN_FLAG, "") if self.driver == "ipvlan" else ""

    @property
    def routes_by_link(self) -> bool:
        """Whether containers leave through their link with no gateway (ipvlan's layer 3)."""
        return self.driver == "ipvlan" and self.mode in ("l3", "l3s")

    def gateway_mode(self, version: int) -> str:
        """How the network meets the outside over an IP version: nat, routed, ..."""
        return self.options.get(opt.GATEWAY_MODES[version], "") or "nat"

    def has_version(self, version: int) -> bool:
        """Whether containers on it have addresses of an IP version."""
        return self.enable_ipv4 if version == 4 else self.enable_ipv6


def check_name(name: str) -> str:
    """A network's name if it is valid, with Docker any that is not blank and fits in a path.

    Raises InvalidParameter.
    """
    if not name.strip():
        raise InvalidParameter("invalid name: name is empty")
    if "/" in name or not name.isprintable():
        raise InvalidParameter(
            f"invalid network name {name!r}: must hold neither slashes nor control characters"
        )
    return name


def check_subnet(subnet: Subnet) -> Subnet:
    """A user's subnet, complete with its gateway; raises BadAddress with Docker's text."""
    try:
        network = ipaddress.ip_network(subnet.subnet, strict=False)
    except ValueError:
        raise BadAddress(f"invalid subnet {subnet.subnet}: invalid CIDR block notation") from None
    if "/" not in subnet.subnet:
        raise BadAddress(f"invalid subnet {subnet.subnet}: invalid CIDR block notation")
    if str(network.network_address) != str(ipaddress.ip_address(subnet.subnet.partition("/")[0])):
        raise BadAddress(f"invalid subnet {subnet.subnet}: it should be {network}")
    if not network.prefixlen or network.is_loopback or network.is_multicast:
        raise BadAddress(f"invalid subnet {network}: the host would lose addresses of its own")
    if subnet.ip_range:
        _check_range(subnet, network)
    gateway = subnet.gateway.partition("/")[0]
    for address in (gateway, *subnet.auxiliary.values()):
        if address:
            _check_member(address, network)
    return msgspec.structs.replace(
        subnet, subnet=str(network), gateway=gateway or first_address(network)
    )


def _check_range(subnet: Subnet, network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> None:
    try:
        inner = ipaddress.ip_network(subnet.ip_range, strict=False)
    except ValueError:
        raise BadAddress(f"invalid ip-range {subnet.ip_range}") from None
    if inner.version != network.version or not (
        inner.network_address in network and inner.broadcast_address in network
    ):
        raise BadAddress(
            f"invalid ip-range {subnet.ip_range}: parent subnet {network} doesn't contain ip-range"
        )


def _check_member(address: str, network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> None:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        raise BadAddress(f"invalid address: {address}") from None
    if parsed not in network:
        raise BadAddress(f"invalid address {address}: parent subnet is {network}")
