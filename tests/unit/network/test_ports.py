"""Host ports: reserved once, probed on the host, refused in Docker's words."""

import errno

import pytest

from wherry.network.endpoint import PortRequest, PublishedPort
from wherry.network.errors import PortUnavailable
from wherry.network.ports import HostPorts


class FakeHost:
    """A host on which some ports have listeners."""

    def __init__(self, *busy: int) -> None:
        self.busy = set(busy)

    def probe(self, protocol: str, address: str, port: int) -> int:
        """As bind_probe."""
        if address == "203.0.113.9":
            return errno.EADDRNOTAVAIL
        return errno.EADDRINUSE if port in self.busy else 0


def make(*busy: int) -> HostPorts:
    return HostPorts(FakeHost(*busy).probe, (40000, 40003))


def test_a_port_without_address_is_published_for_each_family_of_the_container() -> None:
    assert make().allocate([PortRequest(80, host_port=8080)], "", [4, 6]) == (
        PublishedPort(80, "tcp", "0.0.0.0", 8080),
        PublishedPort(80, "tcp", "::", 8080),
    )


def test_a_port_that_the_engine_published_is_refused() -> None:
    ports = make()
    ports.allocate([PortRequest(80, host_port=8080)], "", [4])
    for host_ip in ("", "0.0.0.0", "127.0.0.1"):
        with pytest.raises(PortUnavailable, match=r":8080 failed: port is already allocated"):
            ports.allocate([PortRequest(81, host_ip=host_ip, host_port=8080)], "", [4])
    ports.allocate([PortRequest(81, "udp", host_port=8080)], "", [4])


def test_two_addresses_may_hold_the_same_port() -> None:
    ports = make()
    ports.allocate([PortRequest(80, host_ip="127.0.0.1", host_port=8080)], "", [4])
    ports.allocate([PortRequest(80, host_ip="127.0.0.2", host_port=8080)], "", [4])
    with pytest.raises(PortUnavailable):
        ports.allocate([PortRequest(80, host_port=8080)], "", [4])


def test_a_port_with_a_listener_on_the_host_is_refused() -> None:
    with pytest.raises(PortUnavailable, match="address already in use"):
        make(8080).allocate([PortRequest(80, host_port=8080)], "", [4])


def test_an_address_that_is_not_the_hosts_is_refused() -> None:
    request = PortRequest(80, host_ip="203.0.113.9", host_port=8080)
    with pytest.raises(PortUnavailable, match="cannot assign requested address"):
        make().allocate([request], "", [4])


def test_chosen_ports_come_in_turn_and_skip_listeners_and_reservations() -> None:
    ports = make(40001)
    chosen = [ports.allocate([PortRequest(80)], "", [4])[0].host_port for _ in range(3)]
    assert chosen == [40000, 40002, 40003]
    with pytest.raises(PortUnavailable, match="all ports are allocated"):
        ports.allocate([PortRequest(80)], "", [4])


def test_a_range_gives_its_first_free_port() -> None:
    ports = make(8000)
    request = PortRequest(80, host_port=8000, host_port_end=8002)
    assert ports.allocate([request], "", [4])[0].host_port == 8001
    assert ports.allocate([request], "", [4])[0].host_port == 8002


def test_one_refused_port_reserves_none_of_its_fellows() -> None:
    ports = make(9090)
    wanted = [PortRequest(80, host_port=8080), PortRequest(81, host_port=9090)]
    with pytest.raises(PortUnavailable):
        ports.allocate(wanted, "", [4])
    ports.allocate(wanted[:1], "", [4])


def test_freed_ports_can_be_published_again() -> None:
    ports = make()
    held = ports.allocate([PortRequest(80, host_port=8080)], "", [4])
    ports.free(held)
    ports.free(held)
    assert ports.allocate([PortRequest(80, host_port=8080)], "127.0.0.1", [4]) == (
        PublishedPort(80, "tcp", "127.0.0.1", 8080),
    )


def test_an_address_of_a_family_that_the_container_lacks_is_refused() -> None:
    with pytest.raises(PortUnavailable, match="no address of that family"):
        make().allocate([PortRequest(80, host_ip="::1", host_port=8080)], "", [4])
