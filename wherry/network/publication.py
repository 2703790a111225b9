"""Published ports of one container: reserved on the host, in the rules, at the proxy."""

import logging
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from wherry.base.errors import WherryError
from wherry.linux.conntrack import delete_flows
from wherry.linux.syscall import SyscallError
from wherry.network.endpoint import Endpoint, PortRequest, PublishedPort
from wherry.network.errors import PortUnavailable
from wherry.network.firewall import Firewall
from wherry.network.ports import HostPorts
from wherry.network.proxy_client import Forward, Proxy
from wherry.network.record import NetworkRecord
from wherry.network.rules import OpenPort, PortRule

_log = logging.getLogger(__name__)

_IPV6 = Path("/proc/sys/net/ipv6/conf/lo/disable_ipv6")
_ANY = {4: "0.0.0.0", 6: "::"}
_LOOPBACK6 = "::1"

Records = Mapping[str, NetworkRecord]


class Publication:
    """Gives ports to the endpoints that lead out, and takes them back."""

    def __init__(self, firewall: Firewall, ports: HostPorts, proxy: Proxy | None = None) -> None:
        """Without `proxy` nothing is published that rules alone cannot translate."""
        self._firewall = firewall
        self._ports = ports
        self._proxy = proxy

    def publish(
        self, endpoints: Sequence[Endpoint], requests: Sequence[PortRequest], records: Records
    ) -> tuple[Endpoint, ...]:
        """The elected endpoints with their ports; all or nothing. Raises PortUnavailable.

        IPv4 addresses of the host lead to the endpoint with the IPv4 default route, IPv6 ones to
        that with the IPv6 route, or to the IPv4 one through the proxy.
        """
        first = next((e for e in endpoints if e.default_route), None)
        second = next((e for e in endpoints if e.default_route6), None)
        ways = {4: _bridged(first, records), 6: _bridged(second, records)}
        holder = ways[4] or ways[6]
        if not requests or holder is None:
            return tuple(endpoints)
        try:
            published = self._publish(endpoints, self._allocate(ways, requests, records), records)
        except PortUnavailable as error:
            raise PortUnavailable(
                "driver failed programming external connectivity on endpoint "
                f"{holder.container_name} ({holder.endpoint_id}): {error.message}"
            ) from None
        _forget_flows(published)
        return published

    def _publish(
        self, endpoints: Sequence[Endpoint], found: Mapping[str, list[PublishedPort]],
        records: Records,
    ) -> tuple[Endpoint, ...]:  # fmt: skip
        """Puts reserved ports into the rules and the proxy; all or nothing."""
        published = tuple(
            msgspec.structs.replace(e, ports=tuple(found[e.endpoint_id]))
            if found.get(e.endpoint_id) else e
            for e in endpoints
        )  # fmt: skip
        try:
            self._firewall.publish(*self._rules(published, records))
            try:
                self._forward(self.forwards(published, records))
            except BaseException:
                self._firewall.withdraw(*self._rules(published, records))
                raise
        except BaseException:
            for endpoint in published:
                self._ports.free(_on_host(endpoint))
            raise
        return published

    def withdraw(self, endpoints: Sequence[Endpoint], records: Records) -> None:
        """Takes all ports of the endpoints back."""
        holding = [e for e in endpoints if e.ports]
        if not holding:
            return
        for endpoint in holding:
            self._ports.free(_on_host(endpoint))
        self._firewall.withdraw(*self._rules(holding, records))
        if self._proxy is not None:
            try:
                self._proxy.remove(self.forwards(holding, records))
            except (WherryError, OSError) as error:
                _log.warning("the proxy of published ports does not answer: %s", error)
        _forget_flows(holding)

    def republish(self, endpoints: Sequence[Endpoint], records: Records) -> None:
        """Gives back ports that were withdrawn a moment ago; nobody else can have taken them."""
        for endpoint in endpoints:
            self._ports.reserve(_on_host(endpoint))
        self._firewall.publish(*self._rules(endpoints, records))
        self._forward(self.forwards(endpoints, records))

    def reserve(
        self, endpoints: Sequence[Endpoint], records: Records
    ) -> tuple[list[PortRule], list[OpenPort]]:
        """Takes over the ports of running containers; the rules that they need."""
        for endpoint in endpoints:
            self._ports.reserve(_on_host(endpoint))
        if self._proxy is not None:
            try:
                self._proxy.restore(self.forwards(endpoints, records))
            except (WherryError, OSError) as error:
                _log.warning("the proxy of published ports cannot be taken over: %s", error)
        return self._rules(endpoints, records)

    def forwards(self, endpoints: Sequence[Endpoint], records: Records) -> list[Forward]:
        """What rules cannot translate: [::1], IPv6 to IPv4, and all when there are no rules."""
        found = []
        for endpoint in endpoints:
            for port in _on_host(endpoint):
                forward = self._forward_of(endpoint, port)
                if forward is not None:
                    found.append(forward)
        return found

    def _forward_of(self, endpoint: Endpoint, port: PublishedPort) -> Forward | None:
        if port.protocol not in ("tcp", "udp"):
            return None
        wide, own = ":" in port.host_ip, endpoint.ipv6
        listen, target = port.host_ip, endpoint.ipv4
        if wide and own:
            target = own
            if self._firewall.enabled:
                if port.host_ip not in (_ANY[6], _LOOPBACK6):
                    return None
                listen = _LOOPBACK6
        elif not wide and self._firewall.enabled:
            return None
        return Forward(port.protocol, listen, port.host_port, target, port.container_port)

    def _rules(
        self, endpoints: Sequence[Endpoint], records: Records
    ) -> tuple[list[PortRule], list[OpenPort]]:
        translated, opened = [], []
        for endpoint in endpoints:
            for port in endpoint.ports:
                wide = ":" in port.host_ip
                address = endpoint.ipv6 if wide else endpoint.ipv4
                if not address or port.host_ip == _LOOPBACK6:
                    continue
                if not port.host_port:
                    opened.append(OpenPort(port.protocol, address, port.container_port))
                    continue
                host_ip = "" if port.host_ip in _ANY.values() else port.host_ip
                translated.append(PortRule(
                    port.protocol, host_ip, port.host_port, address, port.container_port
                ))  # fmt: skip
        return translated, opened

    def _forward(self, forwards: list[Forward]) -> None:
        if self._proxy is not None:
            self._proxy.add(forwards)

    def _check_without_proxy(self, requests: Sequence[PortRequest]) -> None:
        if not self._firewall.enabled:
            raise PortUnavailable("the daemon runs with --iptables=false and publishes none")
        if any(request.host_ip.strip("[]") == _LOOPBACK6 for request in requests):
            raise PortUnavailable(
                "[::1] is published by the userland proxy alone: start the daemon with "
                "--userland-proxy"
            )

    def _allocate(
        self, ways: Mapping[int, Endpoint | None], requests: Sequence[PortRequest],
        records: Records,
    ) -> dict[str, list[PublishedPort]]:  # fmt: skip
        """Ports by the endpoint that they lead to."""
        found: dict[str, list[PublishedPort]] = {}
        families = []
        for version, endpoint in ways.items():
            if endpoint is None:
                continue
            if records[endpoint.network].gateway_mode(version) == "routed":
                found.setdefault(endpoint.endpoint_id, []).extend(
                    PublishedPort(item.container_port, item.protocol, _ANY[version], 0)
                    for item in requests
                )
            else:
                families.append(version)
        if 4 in families and ways[6] is None and self._proxy is not None and _ipv6_usable():
            families.append(6)
        if not families:
            return found
        if self._proxy is None:
            self._check_without_proxy(requests)
        main = ways[4] or ways[6]
        binding = records[main.network].host_binding if main else ""
        for port in self._ports.allocate(requests, binding, families):
            endpoint = (ways[6] or ways[4]) if ":" in port.host_ip else ways[4]
            if endpoint is not None:
                found.setdefault(endpoint.endpoint_id, []).append(port)
        return found


def pinned(
    requests: Sequence[PortRequest], endpoints: Sequence[Endpoint]
) -> tuple[PortRequest, ...]:
    """Requests with the host ports that were chosen for them before."""
    chosen: dict[tuple[str, int], list[int]] = {}
    for endpoint in endpoints:
        for port in endpoint.ports:
            numbers = chosen.setdefault((port.protocol, port.container_port), [])
            if port.host_port and port.host_port not in numbers:
                numbers.append(port.host_port)
    result = []
    for request in requests:
        free = chosen.get((request.protocol, request.container_port))
        if free and (not request.host_port or request.host_port_end > request.host_port):
            result.append(msgspec.structs.replace(request, host_port=free.pop(0), host_port_end=0))
        else:
            result.append(request)
    return tuple(result)


def _bridged(endpoint: Endpoint | None, records: Records) -> Endpoint | None:
    """An endpoint whose network can publish."""
    if endpoint is None or records[endpoint.network].driver != "bridge":
        return None
    return endpoint


def _on_host(endpoint: Endpoint) -> list[PublishedPort]:
    return [port for port in endpoint.ports if port.host_port]


def _ipv6_usable() -> bool:
    """Whether the host has IPv6 at all."""
    try:
        return _IPV6.read_text().strip() == "0"
    except OSError:
        return False


def _forget_flows(endpoints: Sequence[Endpoint]) -> None:
    """UDP flows that began before the ports changed would go on past the new translation."""
    ports = {p.host_port for e in endpoints for p in _on_host(e) if p.protocol == "udp"}
    if not ports:
        return
    addresses = {address for e in endpoints for address in (e.ipv4, e.ipv6) if address}
    try:
        delete_flows(
            lambda flow: (
                flow.protocol == socket.IPPROTO_UDP
                and (flow.destination_port in ports or flow.reply_source in addresses)
            )
        )
    except SyscallError as error:
        _log.warning("cannot forget flows of ports %s: %s", sorted(ports), error)
