"""What a network is: the durable description of it, as create made it."""

import ipaddress
import re

import msgspec

from wherry.base.errors import InvalidParameter
from wherry.network.errors import BadAddress
from wherry.network.ipam import first_address

BRIDGE_NAME = "com.docker.network.bridge.name"
MTU = "com.docker.network.driver.mtu"
ICC = "com.docker.network.bridge.enable_icc"
MASQUERADE = "com.docker.network.bridge.enable_ip_masquerade"
HOST_BINDING = "com.docker.network.bridge.host_binding_ipv4"
DEFAULT_BRIDGE = "com.docker.network.bridge.default_bridge"

LINK_NAME_LENGTH = 15
"""IFNAMSIZ less its terminating zero (linux/if.h)."""

_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]*")
_LINK = re.compile(r"[a-zA-Z0-9_.-]{1,15}")
_FALSE = frozenset({"0", "f", "F", "false", "FALSE", "False"})
_TRUE = frozenset({"1", "t", "T", "true", "TRUE", "True"})


class Subnet(msgspec.Struct, frozen=True, omit_defaults=True):
    """One subnet of a network: CIDR, gateway and reserved addresses without prefix length."""

    subnet: str
    gateway: str = ""
    ip_range: str = ""
    auxiliary: dict[str, str] = {}


class NetworkRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """A network. `driver` is bridge, host or null; `bridge` is the link's name on the host."""

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

    @property
    def predefined(self) -> bool:
        """Whether the network is part of the engine and cannot be removed."""
        return self.name in ("bridge", "host", "none")

    @property
    def icc(self) -> bool:
        """Whether containers of the network reach each other."""
        return option_flag(self.options, ICC, default=True)

    @property
    def masquerade(self) -> bool:
        """Whether what leaves the network takes the host's address."""
        return option_flag(self.options, MASQUERADE, default=True)

    @property
    def mtu(self) -> int:
        """The MTU in bytes, 0 for the kernel's."""
        return int(self.options.get(MTU, "0") or 0)

    @property
    def host_binding(self) -> str:
        """The address that ports are published on when a container names none."""
        return self.options.get(HOST_BINDING, "")


def option_flag(options: dict[str, str], key: str, *, default: bool) -> bool:
    """A boolean driver option in Go's spellings; raises InvalidParameter on other words."""
    value = options.get(key)
    if value is None or value == "":
        return default
    if value not in _TRUE | _FALSE:
        raise InvalidParameter(f"failed to parse {key} value: {value!r} is not a boolean")
    return value in _TRUE


def check_name(name: str) -> str:
    """A network's name if it is valid; raises InvalidParameter with Docker's text."""
    if not _NAME.fullmatch(name):
        raise InvalidParameter(
            f"invalid network name {name!r}: must start with a letter or digit, and hold only "
            "letters, digits, '_', '.' and '-'"
        )
    return name


def check_options(options: dict[str, str]) -> None:
    """Refuses driver options with values that cannot be; raises InvalidParameter."""
    option_flag(options, ICC, default=True)
    option_flag(options, MASQUERADE, default=True)
    mtu = options.get(MTU, "0") or "0"
    if not mtu.isdecimal() or int(mtu) > 65535:
        raise InvalidParameter(f"invalid MTU {mtu!r}: must be a number from 0 to 65535")
    name = options.get(BRIDGE_NAME, "")
    if name and (not _LINK.fullmatch(name) or name in (".", "..")):
        raise InvalidParameter(
            f"invalid bridge name {name!r}: a link has 1 to {LINK_NAME_LENGTH} letters, digits, "
            "'_', '.' or '-'"
        )


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
    if subnet.ip_range:
        _check_range(subnet, network)
    gateway = subnet.gateway.partition("/")[0]
    for address in (gateway, *subnet.auxiliary.values()):
        if address:
            _check_member(address, network)
    return Subnet(
        str(network), gateway or first_address(network), subnet.ip_range, subnet.auxiliary
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
