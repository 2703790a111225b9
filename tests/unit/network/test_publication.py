"""Which published ports are rules, and which go through the proxy."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from wherry.network.driver_options import GATEWAY_MODES
from wherry.network.endpoint import Endpoint, PortRequest
from wherry.network.errors import PortUnavailable
from wherry.network.firewall import Firewall
from wherry.network.ports import HostPorts
from wherry.network.proxy_client import Forward, Proxy
from wherry.network.publication import Publication, pinned
from wherry.network.record import NetworkRecord
from wherry.network.rules import OpenPort, PortRule

NET = NetworkRecord("n", "net", "bridge", "", enable_ipv6=True)


class FakeFirewall(Firewall):
    """Rules in a list."""

    def __init__(self, *, enabled: bool = True) -> None:
        super().__init__("wherry-test", enabled=enabled)
        self.rules: list[PortRule | OpenPort] = []

    def publish(self, ports: Sequence[PortRule], opened: Sequence[OpenPort] = ()) -> None:
        """Keeps them."""
        self.rules += [*ports, *opened]

    def withdraw(self, ports: Sequence[PortRule], opened: Sequence[OpenPort] = ()) -> None:
        """Drops them."""
        self.rules = [rule for rule in self.rules if rule not in (*ports, *opened)]


class FakeProxy(Proxy):
    """Forwards in a list; refuses the port 666."""

    def __init__(self) -> None:
        super().__init__(Path("/nowhere"), lambda _: None)
        self.forwards: list[Forward] = []

    def add(self, forwards: Sequence[Forward]) -> None:
        """Keeps them."""
        if any(item.host_port == 666 for item in forwards):
            raise PortUnavailable("failed to bind host port")
        self.forwards += forwards

    def remove(self, forwards: Sequence[Forward]) -> None:
        """Drops them."""
        self.forwards = [item for item in self.forwards if item not in forwards]


class Room:
    """A publication with fakes around it, on a host where every port is free."""

    def __init__(self, record: NetworkRecord = NET, *, rules: bool = True) -> None:
        self.firewall = FakeFirewall(enabled=rules)
        self.proxy = FakeProxy()
        ports = HostPorts(lambda *_: 0, (49153, 65535))
        self.publication = Publication(self.firewall, ports, self.proxy)
        self.records = {"n": record}

    def publish(self, endpoint: Endpoint, *requests: PortRequest) -> Endpoint:
        [found] = self.publication.publish([endpoint], requests, self.records)
        return found


def endpoint(*, ipv4: str = "10.0.0.2", ipv6: str = "") -> Endpoint:
    return Endpoint(
        "n", "net", "e", "c", "box", "eth0", ipv4=ipv4, ipv6=ipv6, default_route=bool(ipv4),
        default_route6=bool(ipv6),
    )  # fmt: skip


def test_a_container_of_both_versions_needs_the_proxy_at_loopback_alone() -> None:
    room = Room()
    room.publish(endpoint(ipv6="fd00::2"), PortRequest(80, host_port=8080))
    assert room.firewall.rules == [
        PortRule("tcp", "", 8080, "10.0.0.2", 80), PortRule("tcp", "", 8080, "fd00::2", 80),
    ]  # fmt: skip
    assert room.proxy.forwards == [Forward("tcp", "::1", 8080, "fd00::2", 80)]


def test_ipv6_to_a_container_with_ipv4_goes_through_the_proxy() -> None:
    room = Room()
    found = room.publish(endpoint(), PortRequest(80, host_port=8080))
    assert [port.host_ip for port in found.ports] == ["0.0.0.0", "::"]
    assert room.proxy.forwards == [Forward("tcp", "::", 8080, "10.0.0.2", 80)]
    room.publication.withdraw([found], room.records)
    assert (room.firewall.rules, room.proxy.forwards) == ([], [])


def test_an_address_of_the_host_is_served_there_alone() -> None:
    room = Room()
    room.publish(
        endpoint(), PortRequest(80, host_ip="127.0.0.1", host_port=8080),
        PortRequest(81, host_ip="2001:db8::1", host_port=8081),
    )  # fmt: skip
    assert room.firewall.rules == [PortRule("tcp", "127.0.0.1", 8080, "10.0.0.2", 80)]
    assert room.proxy.forwards == [Forward("tcp", "2001:db8::1", 8081, "10.0.0.2", 81)]


def test_without_rules_the_proxy_has_them_all_but_sctp() -> None:
    room = Room(rules=False)
    room.publish(
        endpoint(), PortRequest(80, host_port=8080),
        PortRequest(9, "sctp", host_ip="127.0.0.1", host_port=9),
    )  # fmt: skip
    assert {item.host_ip for item in room.proxy.forwards} == {"0.0.0.0", "::"}


def test_without_a_proxy_loopback_cannot_be_asked_for() -> None:
    room = Room()
    room.publication = Publication(room.firewall, HostPorts(lambda *_: 0, (49153, 65535)))
    with pytest.raises(PortUnavailable, match="userland proxy"):
        room.publish(endpoint(ipv6="fd00::2"), PortRequest(80, host_ip="::1", host_port=8080))
    found = room.publish(endpoint(), PortRequest(80, host_port=8080))
    assert [port.host_ip for port in found.ports] == ["0.0.0.0"]


def test_what_the_proxy_refuses_takes_everything_back() -> None:
    room = Room()
    with pytest.raises(PortUnavailable, match="external connectivity on endpoint box"):
        room.publish(endpoint(), PortRequest(80, host_port=666))
    assert (room.firewall.rules, room.proxy.forwards) == ([], [])
    assert room.publish(endpoint(), PortRequest(80, host_port=667)).ports


def test_a_routed_version_opens_the_containers_own_port() -> None:
    record = NetworkRecord("n", "net", "bridge", "", options={GATEWAY_MODES[4]: "routed"})
    room = Room(record)
    found = room.publish(endpoint(), PortRequest(80, host_port=8080))
    assert [(port.host_ip, port.host_port) for port in found.ports] == [("0.0.0.0", 0)]
    assert room.firewall.rules == [OpenPort("tcp", "10.0.0.2", 80)]


def test_chosen_ports_keep_their_numbers_when_they_move() -> None:
    room = Room()
    found = room.publish(endpoint(), PortRequest(80), PortRequest(81, host_port=8081))
    first = found.ports[0].host_port
    moved = pinned([PortRequest(80), PortRequest(81, host_port=8081)], [found])
    assert [request.host_port for request in moved] == [first, 8081]
