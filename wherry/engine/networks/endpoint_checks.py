"""What is wrong with the settings of an endpoint, in dockerd's words. Pure."""

import ipaddress
import re
from collections.abc import Sequence

from wherry.base.errors import InvalidParameter
from wherry.model.docker.container import EndpointSettings
from wherry.network.driver_options import endpoint_options

_MAC = re.compile(r"([0-9a-fA-F]{2}[:-]){5}[0-9a-fA-F]{2}")
_PREDEFINED = ("bridge", "default", "host", "none")


def check_endpoint(network: str, settings: EndpointSettings, subnets: Sequence[str] = ()) -> None:
    """Raises InvalidParameter with every fault, a line each.

    `subnets` are the network's; a network that is not there yet, or has none, takes any address.
    """
    faults = [*_address_faults(settings)]
    ipam = settings.ipam_config
    if network in _PREDEFINED:
        if ipam and (ipam.ipv4_address or ipam.ipv6_address):
            faults.append("user specified IP address is supported on user defined networks only")
        if settings.aliases:
            faults.append(
                "network-scoped alias is supported only for containers in user defined networks"
            )
    elif not faults and subnets:
        faults += _outside(settings, subnets)
    if settings.mac_address and not _MAC.fullmatch(settings.mac_address):
        faults.append(f"invalid MAC address: {settings.mac_address}")
    if faults:
        raise InvalidParameter("invalid endpoint settings:\n" + "\n".join(faults))
    endpoint_options(settings.driver_opts or {})


def _address_faults(settings: EndpointSettings) -> list[str]:
    ipam = settings.ipam_config
    if ipam is None:
        return []
    faults = []
    for version, text in ((4, ipam.ipv4_address), (6, ipam.ipv6_address)):
        if text and not _is_address(text, version):
            faults.append(f"invalid IPv{version} address: {text}")
    faults += [
        f"invalid link-local IP address: {text}"
        for text in ipam.link_local_ips or ()
        if not _is_address(text, 4) and not _is_address(text, 6)
    ]
    return faults


def _outside(settings: EndpointSettings, subnets: Sequence[str]) -> list[str]:
    ipam = settings.ipam_config
    asked = filter(None, (ipam.ipv4_address, ipam.ipv6_address) if ipam else ())
    pools = [ipaddress.ip_network(subnet) for subnet in subnets]
    return [
        f"no configured subnet contains IP address {text}"
        for text in asked
        if not any(ipaddress.ip_address(text) in pool for pool in pools)
    ]


def _is_address(text: str, version: int) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return address.version == version and not address.is_unspecified
