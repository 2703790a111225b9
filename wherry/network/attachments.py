"""Containers join and leave networks: addresses, links' values and published ports.

Blocking; called in the "network" pool, one call at a time. Every call is all or nothing.
"""

import logging
import socket
from collections.abc import Sequence

import msgspec

from wherry.base.errors import NotSupported, ResourceExhausted
from wherry.base.ids import new_id
from wherry.linux.conntrack import delete_flows
from wherry.linux.syscall import SyscallError
from wherry.model.interface import Interface, Route
from wherry.network.bridges import (
    PORT_LIMIT,
    Bridges,
    bridges_are_filtered,
    delete_link,
    rules_of,
)
from wherry.network.catalog import NetworkCatalog
from wherry.network.endpoint import (
    Endpoint,
    EndpointRequest,
    PortRequest,
    Prepared,
    PublishedPort,
)
from wherry.network.errors import AddressInUse, NoSuchNetwork, PortUnavailable
from wherry.network.firewall import Firewall
from wherry.network.ipam import mac_of
from wherry.network.ports import HostPorts
from wherry.network.record import NetworkRecord
from wherry.network.rules import PortRule

_log = logging.getLogger(__name__)


class Attachments:
    """Gives endpoints to containers and takes them back."""

    def __init__(
        self,
        catalog: NetworkCatalog,
        bridges: Bridges,
        firewall: Firewall,
        ports: HostPorts,
        *,
        default_ip: str = "",
    ) -> None:
        """`default_ip` is where ports are published that name no address (dockerd's `--ip`)."""
        self._catalog = catalog
        self._bridges = bridges
        self._firewall = firewall
        self._ports = ports
        self._default_ip = default_ip

    def prepare(self, requests: Sequence[EndpointRequest]) -> Prepared:
        """Reserves addresses and ports, makes the bridge if needed and publishes the ports.

        `requests` are all networks of one container. `host` and `none` give an endpoint without
        addresses and no interface. Raises NoSuchNetwork, AddressInUse, PortUnavailable and
        NoAddresses with Docker's texts, and NetworkUnavailable in one line where the kernel offers
        no NAT.
        """
        records = [self._catalog.get(request.network) for request in requests]
        main = _main(requests, records)
        done: list[Endpoint] = []
        try:
            for number, (request, record) in enumerate(zip(requests, records, strict=True)):
                if record.driver == "bridge":
                    self._bridges.ensure(record)
                name = request.interface or f"eth{number}"
                done.append(self._join(request, record, name, main=number == main))
            if done and records[main].driver == "bridge" and not records[main].internal:
                requested = [port for request in requests for port in request.ports]
                done[main] = self._publish(done[main], requested, records[main])
        except BaseException:
            self.release(done)
            raise
        interfaces = tuple(
            self._interface(endpoint, request, record)
            for endpoint, request, record in zip(done, requests, records, strict=True)
            if record.driver == "bridge"
        )
        return Prepared(interfaces, tuple(done))

    def release(self, endpoints: Sequence[Endpoint]) -> None:
        """Frees addresses and ports of endpoints; unknown ones are ignored, so it may be repeated.

        The links go with the container's network namespace; leftovers are removed here.
        """
        for endpoint in endpoints:
            if not self._catalog.disconnect(endpoint):
                continue
            self._ports.free(endpoint.ports)
            self._firewall.withdraw(_port_rules(endpoint))
            _forget_flows(endpoint)
            if endpoint.host_interface:
                try:
                    delete_link(endpoint.host_interface)
                except SyscallError as error:
                    _log.warning("cannot remove link %s: %s", endpoint.host_interface, error)

    def restore(self, endpoints: Sequence[Endpoint]) -> None:
        """Takes over endpoints of running containers after a restart of the daemon.

        Called once with those of all containers, so that the rules change in one transaction.
        """
        known: list[Endpoint] = []
        records: dict[str, NetworkRecord] = {}
        for endpoint in endpoints:
            try:
                records[endpoint.network] = self._catalog.get(endpoint.network)
            except NoSuchNetwork as error:
                _log.warning("container %s: %s", endpoint.container_name, error.message)
                continue
            self._reserve(endpoint)
            self._ports.reserve(endpoint.ports)
            self._catalog.connect(endpoint)
            known.append(endpoint)
        bridged = [record for record in records.values() if record.driver == "bridge"]
        for record in bridged:
            self._bridges.adopt(record)
        self._firewall.restore(
            [rules_of(record) for record in bridged],
            [rule for endpoint in known for rule in _port_rules(endpoint)],
        )

    def _join(
        self, request: EndpointRequest, record: NetworkRecord, name: str, *, main: bool
    ) -> Endpoint:
        identifier = request.endpoint_id or new_id()
        if record.driver in ("host", "null"):
            return self._join_plain(request, record, identifier)
        if record.driver != "bridge":
            raise NotSupported(f"network driver {record.driver} is not supported")
        if len(self._catalog.endpoints(record.id)) >= PORT_LIMIT:
            raise ResourceExhausted(
                f"network {record.name} is full: its bridge takes {PORT_LIMIT} containers"
            )
        ipv4 = self._address(record.id, 4, request.ipv4)
        try:
            ipv6 = self._address(record.id, 6, request.ipv6) if record.enable_ipv6 else ""
        except BaseException:
            self._free(record.id, 4, ipv4)
            raise
        v4, v6 = self._catalog.subnet(record.id, 4), self._catalog.subnet(record.id, 6)
        endpoint = Endpoint(
            network=record.id,
            network_name=record.name,
            endpoint_id=identifier,
            container_id=request.container_id,
            container_name=request.container_name,
            interface=name,
            host_interface=f"veth{identifier[:7]}",
            mac=request.mac or (mac_of(ipv4) if ipv4 else ""),
            ipv4=ipv4,
            ipv4_prefix=_prefix(v4.subnet) if v4 and ipv4 else 0,
            gateway=v4.gateway if v4 and ipv4 and not record.internal else "",
            ipv6=ipv6,
            ipv6_prefix=_prefix(v6.subnet) if v6 and ipv6 else 0,
            ipv6_gateway=v6.gateway if v6 and ipv6 and not record.internal else "",
            gateway_priority=request.gateway_priority,
            default_route=main and not record.internal,
            aliases=request.aliases,
        )
        self._catalog.connect(endpoint)
        return endpoint

    def _join_plain(
        self, request: EndpointRequest, record: NetworkRecord, identifier: str
    ) -> Endpoint:
        endpoint = Endpoint(
            network=record.id,
            network_name=record.name,
            endpoint_id=identifier,
            container_id=request.container_id,
            container_name=request.container_name,
            interface="",
        )
        self._catalog.connect(endpoint)
        return endpoint

    def _address(self, network: str, version: int, wanted: str) -> str:
        space = self._catalog.space(network, version)
        if space is None:
            return ""
        return space.reserve(wanted) if wanted else space.choose()

    def _free(self, network: str, version: int, address: str) -> None:
        space = self._catalog.space(network, version)
        if space is not None and address:
            space.free(address)

    def _reserve(self, endpoint: Endpoint) -> None:
        for version, address in ((4, endpoint.ipv4), (6, endpoint.ipv6)):
            try:
                if address:
                    self._address(endpoint.network, version, address)
            except AddressInUse:
                _log.warning(
                    "container %s: its address %s is reserved twice",
                    endpoint.container_name,
                    address,
                )

    def _publish(
        self, endpoint: Endpoint, requested: Sequence[PortRequest], record: NetworkRecord
    ) -> Endpoint:
        """Reserves the ports and adds them to the rules; the endpoint that has them."""
        if not requested:
            return endpoint
        families = [v for v, address in ((4, endpoint.ipv4), (6, endpoint.ipv6)) if address]
        try:
            if not self._firewall.enabled:
                raise PortUnavailable("the daemon runs with --iptables=false and publishes none")
            ports = self._ports.allocate(
                requested, record.host_binding or self._default_ip, families
            )
        except PortUnavailable as error:
            raise PortUnavailable(
                "driver failed programming external connectivity on endpoint "
                f"{endpoint.container_name} ({endpoint.endpoint_id}): {error.message}"
            ) from None
        published = _with_ports(endpoint, ports)
        try:
            self._firewall.publish(_port_rules(published))
        except BaseException:
            self._ports.free(ports)
            raise
        self._catalog.connect(published)
        _forget_flows(published)
        return published

    def _interface(
        self, endpoint: Endpoint, request: EndpointRequest, record: NetworkRecord
    ) -> Interface:
        addresses = []
        routes = []
        if endpoint.ipv4:
            addresses.append(f"{endpoint.ipv4}/{endpoint.ipv4_prefix}")
            if endpoint.default_route and endpoint.gateway:
                routes.append(Route("0.0.0.0/0", endpoint.gateway))
        if endpoint.ipv6:
            addresses.append(f"{endpoint.ipv6}/{endpoint.ipv6_prefix}")
            if endpoint.default_route and endpoint.ipv6_gateway:
                routes.append(Route("::/0", endpoint.ipv6_gateway))
        return Interface(
            name=endpoint.interface,
            kind="veth",
            host_name=endpoint.host_interface,
            parent=record.bridge,
            mac=endpoint.mac,
            mtu=record.mtu,
            addresses=tuple(addresses),
            routes=tuple(routes),
            sysctls=request.sysctls,
            hairpin=bridges_are_filtered(),
        )


def _main(requests: Sequence[EndpointRequest], records: Sequence[NetworkRecord]) -> int:
    """Which endpoint holds the default route: highest priority, then the first name in order."""
    order = sorted(
        range(len(requests)),
        key=lambda i: (records[i].internal, -requests[i].gateway_priority, records[i].name),
    )
    return order[0] if order else 0


def _with_ports(endpoint: Endpoint, ports: tuple[PublishedPort, ...]) -> Endpoint:
    return msgspec.structs.replace(endpoint, ports=ports)


def _port_rules(endpoint: Endpoint) -> list[PortRule]:
    found = []
    for port in endpoint.ports:
        address = endpoint.ipv6 if ":" in port.host_ip else endpoint.ipv4
        host_ip = "" if port.host_ip in ("0.0.0.0", "::") else port.host_ip
        found.append(PortRule(port.protocol, host_ip, port.host_port, address, port.container_port))
    return found


def _forget_flows(endpoint: Endpoint) -> None:
    """UDP flows that began before the ports changed would go on past the new translation."""
    ports = {port.host_port for port in endpoint.ports if port.protocol == "udp"}
    if not ports:
        return
    addresses = {endpoint.ipv4, endpoint.ipv6} - {""}
    try:
        delete_flows(
            lambda flow: (
                flow.protocol == socket.IPPROTO_UDP
                and (flow.destination_port in ports or flow.reply_source in addresses)
            )
        )
    except SyscallError as error:
        _log.warning("cannot forget flows of ports %s: %s", sorted(ports), error)


def _prefix(subnet: str) -> int:
    return int(subnet.rpartition("/")[2])
