"""Options of network drivers, of networks and of endpoints, under Docker's names."""

import ipaddress
import re
from collections.abc import Mapping
from typing import NamedTuple

from wherry.base.errors import InvalidParameter
from wherry.linux.netlink.route import IPVLAN_FLAGS, IPVLAN_MODES, MACVLAN_MODES

_BRIDGE = "com.docker.network.bridge."
BRIDGE_NAME = f"{_BRIDGE}name"
ICC = f"{_BRIDGE}enable_icc"
MASQUERADE = f"{_BRIDGE}enable_ip_masquerade"
HOST_BINDING = f"{_BRIDGE}host_binding_ipv4"
DEFAULT_BRIDGE = f"{_BRIDGE}default_bridge"
INHIBIT_IPV4 = f"{_BRIDGE}inhibit_ipv4"
TRUSTED_INTERFACES = f"{_BRIDGE}trusted_host_interfaces"
GATEWAY_MODES = {4: f"{_BRIDGE}gateway_mode_ipv4", 6: f"{_BRIDGE}gateway_mode_ipv6"}
SOURCE_ADDRESSES = {4: "com.docker.network.host_ipv4", 6: "com.docker.network.host_ipv6"}
MTU = "com.docker.network.driver.mtu"
INTERFACE_PREFIX = "com.docker.network.container_iface_prefix"
ENABLE_IPV4 = "com.docker.network.enable_ipv4"
ENABLE_IPV6 = "com.docker.network.enable_ipv6"
PARENT = "parent"
MACVLAN_MODE = "macvlan_mode"
IPVLAN_MODE = "ipvlan_mode"
IPVLAN_FLAG = "ipvlan_flag"
ENDPOINT_NAME = "com.docker.network.endpoint.ifname"
ENDPOINT_SYSCTLS = "com.docker.network.endpoint.sysctls"

GATEWAY_ADDRESSES = {4: "DefaultGatewayIPv4", 6: "DefaultGatewayIPv6"}
"""Names of auxiliary addresses that are containers' gateways in the bridge's place."""

LINK_NAME_LENGTH = 15
"""IFNAMSIZ less its terminating zero (linux/if.h)."""

_FLAGS = (ICC, MASQUERADE, INHIBIT_IPV4, ENABLE_IPV4, ENABLE_IPV6)
_MODES = ("nat", "nat-unprotected", "routed", "isolated")
_LINK = re.compile(r"[a-zA-Z0-9_.-]{1,15}")
_SYSCTL = re.compile(r"net\.[a-z0-9_]+\.[a-z0-9_]+\.IFNAME\.[a-zA-Z0-9_]+")
_FALSE = frozenset({"0", "f", "F", "false", "FALSE", "False"})
_TRUE = frozenset({"1", "t", "T", "true", "TRUE", "True"})


class EndpointOptions(NamedTuple):
    """An endpoint's driver options: the interface's name, sysctls with IFNAME in its place."""

    interface: str
    sysctls: dict[str, str]


def flag(options: Mapping[str, str], key: str, *, default: bool) -> bool:
    """A boolean option in Go's spellings; raises InvalidParameter on other words."""
    value = options.get(key)
    if value is None or value == "":
        return default
    if value not in _TRUE | _FALSE:
        raise InvalidParameter(f"failed to parse {key} value: {value!r} is not a boolean")
    return value in _TRUE


def check_options(driver: str, options: Mapping[str, str], *, internal: bool = False) -> None:
    """Refuses options with values that cannot be; raises InvalidParameter."""
    for key in _FLAGS:
        flag(options, key, default=True)
    mtu = options.get(MTU, "0") or "0"
    if not mtu.isdecimal() or int(mtu) > 65535:
        raise InvalidParameter(f"invalid MTU {mtu!r}: must be a number from 0 to 65535")
    for key, what in ((BRIDGE_NAME, "bridge name"), (INTERFACE_PREFIX, "interface prefix")):
        if options.get(key):
            check_link_name(options[key], what)
    if driver == "bridge":
        _check_bridge(options, internal)
    elif driver in ("macvlan", "ipvlan"):
        _check_child(driver, options)


def check_link_name(name: str, what: str) -> None:
    """Raises InvalidParameter for what cannot name a link."""
    if not _LINK.fullmatch(name) or name in (".", ".."):
        raise InvalidParameter(
            f"invalid {what} {name!r}: a link has 1 to {LINK_NAME_LENGTH} letters, digits, "
            "'_', '.' or '-'"
        )


def endpoint_options(options: Mapping[str, str]) -> EndpointOptions:
    """What an endpoint's options say; raises InvalidParameter."""
    name = options.get(ENDPOINT_NAME, "")
    if name:
        check_link_name(name, "interface name")
    sysctls = {}
    for entry in filter(None, options.get(ENDPOINT_SYSCTLS, "").split(",")):
        key, equals, value = entry.partition("=")
        if not equals or not _SYSCTL.fullmatch(key):
            raise InvalidParameter(
                f"invalid endpoint settings: sysctl {entry!r} is not of the form "
                "net.X.Y.IFNAME.Z=VALUE"
            )
        sysctls[key] = value
    return EndpointOptions(name, sysctls)


def trusted_interfaces(options: Mapping[str, str]) -> tuple[str, ...]:
    """Links of the host whose traffic reaches containers directly."""
    return tuple(filter(None, options.get(TRUSTED_INTERFACES, "").split(":")))


def _check_bridge(options: Mapping[str, str], internal: bool) -> None:
    for version, key in GATEWAY_MODES.items():
        mode = options.get(key, "")
        if mode and mode not in _MODES:
            raise InvalidParameter(
                f"failed to parse {key} value: unknown gateway mode {mode!r}: use one of "
                + ", ".join(_MODES)
            )
        if mode == "isolated" and not internal:
            raise InvalidParameter(
                f"gateway mode 'isolated' can only be used for an internal network (IPv{version})"
            )
    binding = options.get(HOST_BINDING, "")
    for key, value, version in (
        (HOST_BINDING, binding, 4),
        *((key, options.get(key, ""), version) for version, key in SOURCE_ADDRESSES.items()),
    ):
        if value and not _is_address(value, version):
            raise InvalidParameter(f"failed to parse {key} value: {value!r} is no IPv{version} "
                                   "address")  # fmt: skip
    for name in trusted_interfaces(options):
        check_link_name(name, "trusted interface")


def _check_child(driver: str, options: Mapping[str, str]) -> None:
    modes = MACVLAN_MODES if driver == "macvlan" else IPVLAN_MODES
    mode = options.get(f"{driver}_mode", "")
    if mode and mode not in modes:
        raise InvalidParameter(f"requested {driver} mode '{mode}' is not valid: use one of "
                               + ", ".join(modes))  # fmt: skip
    link_flag = options.get(IPVLAN_FLAG, "")
    if driver == "ipvlan" and link_flag not in IPVLAN_FLAGS:
        raise InvalidParameter(f"unknown ipvlan flag: {link_flag}")
    if options.get(PARENT):
        check_link_name(options[PARENT], "parent interface")


def _is_address(text: str, version: int) -> bool:
    try:
        return ipaddress.ip_address(text).version == version
    except ValueError:
        return False
