"""One endpoint: its addresses reserved, its values complete, the interface that it stands for."""

import ipaddress
import secrets
from collections.abc import Sequence

from wherry.base.errors import InvalidParameter, NotSupported, ResourceExhausted
from wherry.base.ids import new_id
from wherry.model.interface import Interface, Route
from wherry.network import driver_options as opt
from wherry.network.bridges import PORT_LIMIT, bridges_are_filtered
from wherry.network.catalog import NetworkCatalog
from wherry.network.endpoint import Endpoint, EndpointRequest
from wherry.network.errors import BadAddress, ConfigurationOnly
from wherry.network.ipam import mac_of
from wherry.network.record import NetworkRecord, Subnet


def join(catalog: NetworkCatalog, request: EndpointRequest, taken: Sequence[str]) -> Endpoint:
    """Reserves what a request asks for and records the endpoint.

    `taken` are names of interfaces that the container has already. Raises AddressInUse, BadAddress,
    NoAddresses, ResourceExhausted, ConfigurationOnly.
    """
    record = catalog.get(request.network)
    if record.config_only:
        raise ConfigurationOnly(record.name)
    identifier = request.endpoint_id or new_id()
    if record.plain:
        endpoint = _plain(request, record, identifier)
    else:
        endpoint = _addressed(catalog, request, record, identifier, taken)
    catalog.connect(endpoint)
    return endpoint


def interface(
    endpoint: Endpoint, record: NetworkRecord, options: dict[str, str], routes: Sequence[Route] = ()
) -> Interface:
    """What the runtime makes for an endpoint; `options` are the endpoint's."""
    addresses = []
    if endpoint.ipv4:
        addresses.append(f"{endpoint.ipv4}/{endpoint.ipv4_prefix}")
    if endpoint.ipv6:
        addresses.append(f"{endpoint.ipv6}/{endpoint.ipv6_prefix}")
    addresses += [_with_prefix(address) for address in endpoint.link_local]
    bridged = record.driver == "bridge"
    return Interface(
        name=endpoint.interface,
        kind="veth" if bridged else record.driver,
        host_name=endpoint.host_interface,
        parent=record.bridge,
        mode="" if bridged else record.mode,
        flag=record.link_flag,
        mac=endpoint.mac,
        mtu=record.mtu,
        addresses=tuple(addresses),
        routes=tuple(routes),
        sysctls=opt.endpoint_options(options).sysctls,
        hairpin=bridged and bridges_are_filtered(),
        isolated=bridged and not record.icc and not bridges_are_filtered(),
    )


def _plain(request: EndpointRequest, record: NetworkRecord, identifier: str) -> Endpoint:
    return Endpoint(
        network=record.id,
        network_name=record.name,
        endpoint_id=identifier,
        container_id=request.container_id,
        container_name=request.container_name,
        interface="",
    )


def _addressed(
    catalog: NetworkCatalog, request: EndpointRequest, record: NetworkRecord, identifier: str,
    taken: Sequence[str],
) -> Endpoint:  # fmt: skip
    if record.driver not in ("bridge", "macvlan", "ipvlan"):
        raise NotSupported(f"network driver {record.driver} is not supported")
    if record.driver == "bridge" and len(catalog.endpoints(record.id)) >= PORT_LIMIT:
        raise ResourceExhausted(
            f"network {record.name} is full: its bridge takes {PORT_LIMIT} containers"
        )
    if record.driver == "ipvlan" and request.mac:
        raise InvalidParameter("ipvlan interfaces do not support custom mac address assignment")
    name = _interface_name(request, record, taken)
    ipv4 = _reserve(catalog, record, 4, request.ipv4)
    try:
        ipv6 = _reserve(catalog, record, 6, request.ipv6)
    except BaseException:
        _free(catalog, record.id, 4, ipv4)
        raise
    v4, v6 = catalog.subnet(record.id, 4), catalog.subnet(record.id, 6)
    return Endpoint(
        network=record.id,
        network_name=record.name,
        endpoint_id=identifier,
        container_id=request.container_id,
        container_name=request.container_name,
        interface=name,
        host_interface=_host_interface(record, identifier),
        mac=_mac(request, record, ipv4),
        ipv4=ipv4,
        ipv4_prefix=_prefix(v4.subnet) if v4 and ipv4 else 0,
        gateway=_gateway(v4, 4) if v4 and ipv4 and _has_gateway(record, 4) else "",
        ipv6=ipv6,
        ipv6_prefix=_prefix(v6.subnet) if v6 and ipv6 else 0,
        ipv6_gateway=_gateway(v6, 6) if v6 and ipv6 and _has_gateway(record, 6) else "",
        gateway_priority=request.gateway_priority,
        link_local=request.link_local,
        aliases=request.aliases,
        names=request.names,
        links=request.links,
    )


def _interface_name(request: EndpointRequest, record: NetworkRecord, taken: Sequence[str]) -> str:
    wanted = opt.endpoint_options(request.options).interface
    if wanted:
        if wanted in taken:
            raise InvalidParameter(
                f"interface name {wanted} is asked for twice in container {request.container_name}"
            )
        return wanted
    prefix = record.interface_prefix
    return next(f"{prefix}{n}" for n in range(len(taken) + 1) if f"{prefix}{n}" not in taken)


def _host_interface(record: NetworkRecord, identifier: str) -> str:
    """The host's end of a veth pair; others have none, but need a name on their way."""
    return f"{'veth' if record.driver == 'bridge' else 'mv'}{identifier[:7]}"


def _mac(request: EndpointRequest, record: NetworkRecord, ipv4: str) -> str:
    if record.driver == "ipvlan":
        return ""  # all share their parent's
    if request.mac:
        return request.mac.lower().replace("-", ":")
    return mac_of(ipv4) if ipv4 else f"02:42:{secrets.token_bytes(4).hex(':')}"


def _gateway(subnet: Subnet, version: int) -> str:
    return subnet.auxiliary.get(opt.GATEWAY_ADDRESSES[version], "") or subnet.gateway


def _has_gateway(record: NetworkRecord, version: int) -> bool:
    if record.internal or record.routes_by_link:
        return False
    return version == 6 or record.bridge_addressed or record.driver != "bridge"


def _reserve(catalog: NetworkCatalog, record: NetworkRecord, version: int, wanted: str) -> str:
    space = catalog.space(record.id, version)
    if space is None or not record.has_version(version):
        if wanted and not _lies_in_a_subnet(record, wanted):
            raise BadAddress(
                "invalid endpoint settings:\nno configured subnet contains IP address " + wanted
            )
        return ""
    return space.reserve(wanted) if wanted else space.choose()


def _lies_in_a_subnet(record: NetworkRecord, address: str) -> bool:
    """Whether a subnet of an IP version that is off holds an address: it is passed over then."""
    try:
        wanted = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(wanted in ipaddress.ip_network(subnet.subnet) for subnet in record.subnets)


def _free(catalog: NetworkCatalog, network: str, version: int, address: str) -> None:
    space = catalog.space(network, version)
    if space is not None and address:
        space.free(address)


def _with_prefix(address: str) -> str:
    return f"{address}/64" if ":" in address else f"{address}/16"


def _prefix(subnet: str) -> int:
    return int(subnet.rpartition("/")[2])
