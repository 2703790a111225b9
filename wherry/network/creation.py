"""From what a user asks of a network to its complete record: names checked, subnets chosen."""

import ipaddress
from collections.abc import Sequence

import msgspec

from wherry.base.clock import timestamp
from wherry.base.errors import Forbidden, InvalidParameter, NotSupported
from wherry.network import driver_options as opt
from wherry.network.catalog import NetworkCatalog
from wherry.network.errors import (
    NetworkNameInUse,
    NoSubnets,
    NoSuchConfiguration,
    PredefinedNetwork,
)
from wherry.network.record import NetworkRecord, Subnet, check_name, check_subnet


def complete(catalog: NetworkCatalog, wanted: NetworkRecord, identifier: str) -> NetworkRecord:
    """The record of a new network; `wanted` has what the user said, with empty id and times.

    Raises NetworkNameInUse, PredefinedNetwork, PoolOverlaps, BadAddress, NoSubnets, Forbidden.
    """
    check_name(wanted.name)
    if wanted.predefined:
        raise PredefinedNetwork(f"operation is not permitted on predefined {wanted.name} network")
    if catalog.named(wanted.name) is not None:
        raise NetworkNameInUse(wanted.name)
    if wanted.config_only:
        return _configuration(wanted, identifier)
    if wanted.config_from:
        wanted = _configured(catalog, wanted)
    opt.check_options(wanted.driver, wanted.options, internal=wanted.internal)
    subnets = tuple(check_subnet(subnet) for subnet in wanted.subnets)
    _one_of_each_family(subnets, wanted.driver)
    if wanted.enable_ipv4 and not any(":" not in s.subnet for s in subnets):
        chosen = catalog.choose_subnet(4, [s.subnet for s in subnets])
        if chosen is None:
            raise NoSubnets
        subnets = (chosen, *subnets)
    if wanted.enable_ipv6 and not any(":" in s.subnet for s in subnets):
        taken = [s.subnet for s in subnets]
        subnets = (*subnets, catalog.choose_subnet(6, taken) or unique_local(identifier))
    return msgspec.structs.replace(
        wanted, id=identifier, created=timestamp(), subnets=subnets,
        bridge=_link(catalog, wanted, identifier),
    )  # fmt: skip


def unique_local(identifier: str) -> Subnet:
    """A /64 of fd00::/8 out of the network's random id, as RFC 4193 section 3.2 asks."""
    digits = identifier[:14]
    number = (0xFD << 120) | (int(digits, 16) << 64)
    network = ipaddress.IPv6Network((number, 64))
    return Subnet(str(network), str(network.network_address + 1))


def _configuration(wanted: NetworkRecord, identifier: str) -> NetworkRecord:
    if wanted.config_from:
        raise Forbidden("a configuration network cannot depend on another configuration network")
    if wanted.internal or wanted.attachable:
        raise Forbidden(
            "configuration network can only contain network specific fields. Network operator "
            "fields like [ ingress | internal | attachable | scope ] are not supported."
        )
    subnets = tuple(check_subnet(subnet) for subnet in wanted.subnets)
    return msgspec.structs.replace(
        wanted, id=identifier, driver="null", created=timestamp(), subnets=subnets
    )


def _configured(catalog: NetworkCatalog, wanted: NetworkRecord) -> NetworkRecord:
    source = catalog.named(wanted.config_from)
    if source is None or not source.config_only:
        raise NoSuchConfiguration(wanted.config_from)
    if wanted.options:
        raise Forbidden(
            "network driver options are not supported if the network depends on a configuration "
            "network"
        )
    if wanted.subnets or wanted.ipam_options or wanted.labels or wanted.enable_ipv6:
        raise Forbidden(
            "user specified configurations are not supported if the network depends on a "
            "configuration network"
        )
    return msgspec.structs.replace(
        wanted, subnets=source.subnets, options=source.options, labels=source.labels,
        enable_ipv4=source.enable_ipv4, enable_ipv6=source.enable_ipv6,
        ipam_options=source.ipam_options,
    )  # fmt: skip


def _link(catalog: NetworkCatalog, wanted: NetworkRecord, identifier: str) -> str:
    """The name of the bridge, or of the parent link."""
    if wanted.driver == "bridge":
        name = wanted.options.get(opt.BRIDGE_NAME) or f"br-{identifier[:12]}"
        if any(r.bridge == name for r in catalog.records() if r.driver == "bridge"):
            raise InvalidParameter(f"bridge name {name} is used by another network")
        return name
    parent = wanted.options.get(opt.PARENT, "")
    if not parent:
        raise NotSupported(
            f"network {wanted.name}: driver {wanted.driver} needs a parent link: name one with -o "
            "parent=LINK (without it dockerd takes a dummy link, which this engine does not make)"
        )
    for record in catalog.records():
        if record.driver not in ("macvlan", "ipvlan") or record.bridge != parent:
            continue
        if "passthru" in (wanted.mode, record.mode):
            raise Forbidden(f"network {record.name} is already using parent interface {parent}")
    return parent


def _one_of_each_family(subnets: Sequence[Subnet], driver: str) -> None:
    versions = [ipaddress.ip_network(subnet.subnet).version for subnet in subnets]
    if len(versions) != len(set(versions)):
        raise InvalidParameter(f"{driver} driver doesn't support multiple subnets")
