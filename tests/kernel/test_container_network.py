"""Bridges, translation and isolation, in network namespaces that the test makes.

`host` is the machine, `outside` a client on its network, containers are namespaces of their own.
"""

import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator

import pytest

from tests.support.netns import NetworkNamespace, configure, connect, plug
from wherry.linux.netlink.route import Netlink, write_network_sysctl
from wherry.linux.nftables import Nftables, NftablesMissing
from wherry.model.interface import Interface, Route
from wherry.network.attachments import Attachments
from wherry.network.bridges import Bridges, host_routes
from wherry.network.catalog import NetworkCatalog
from wherry.network.driver_options import ICC
from wherry.network.endpoint import Endpoint, EndpointRequest, PortRequest
from wherry.network.errors import AddressInUse, PortUnavailable
from wherry.network.firewall import Firewall
from wherry.network.foreign import ForeignFirewalls
from wherry.network.ipam import DEFAULT_POOLS
from wherry.network.lifecycle import BridgeSettings, NetworkLifecycle
from wherry.network.ports import HostPorts
from wherry.network.publication import Publication
from wherry.network.record import NetworkRecord, Subnet

TABLE = "wherry-test"
WAIT = 1.5


def _usable() -> str:
    if os.geteuid() != 0:
        return "needs root to make network namespaces"
    try:
        Nftables().close()
    except NftablesMissing as error:
        return error.message
    return ""


pytestmark = pytest.mark.skipif(bool(_usable()), reason=_usable())


class Room:
    """The network room, wired as the daemon wires it, living in the namespace `host`."""

    def __init__(
        self, host: NetworkNamespace, settings: BridgeSettings, instance: str = TABLE
    ) -> None:
        self.host = host
        self.firewall = Firewall(instance)
        self.bridges = Bridges(self.firewall, ForeignFirewalls(self.firewall, instance))
        self.catalog = NetworkCatalog(DEFAULT_POOLS, host_routes)
        self.attachments = Attachments(
            self.catalog, self.bridges, self.firewall, Publication(self.firewall, HostPorts())
        )
        self.lifecycle = NetworkLifecycle(self.catalog, self.bridges, self.firewall, settings)
        host.run(self.lifecycle.open, [])
        host.run(self.lifecycle.settle)

    def create(self, wanted: NetworkRecord) -> NetworkRecord:
        """Makes a network."""
        record = self.host.run(self.lifecycle.create, wanted)
        self.host.run(self.lifecycle.bring_up, record)
        return record

    def run(
        self,
        container: NetworkNamespace,
        *ports: PortRequest,
        network: str = "bridge",
        ip: str = "",
    ) -> Endpoint:
        """Puts a container on a network."""
        record = self.catalog.get(network)
        request = EndpointRequest("c" * 64, "box", record.id, ipv4=ip)
        prepared = self.host.run(self.attachments.prepare, [request], ports)
        plug(self.host, container, prepared.interfaces[0])
        return prepared.endpoints[0]


@pytest.fixture
def namespaces() -> Iterator[Callable[[], NetworkNamespace]]:
    made: list[NetworkNamespace] = []

    def make() -> NetworkNamespace:
        made.append(NetworkNamespace())
        return made[-1]

    yield make
    for namespace in made:
        namespace.close()


@pytest.fixture
def host(namespaces: Callable[[], NetworkNamespace]) -> NetworkNamespace:
    return namespaces()


@pytest.fixture
def outside(namespaces: Callable[[], NetworkNamespace], host: NetworkNamespace) -> NetworkNamespace:
    client = namespaces()
    connect(host, client, "up0", "eth0")
    host.run(configure, Interface(name="up0", addresses=("192.0.2.1/24",)))
    client.run(configure, Interface(name="eth0", addresses=("192.0.2.9/24",)))
    return client


@pytest.fixture
def room(host: NetworkNamespace) -> Iterator[Room]:
    made = Room(host, BridgeSettings(name="wherry0"))
    yield made
    made.host.run(made.lifecycle.close)


Serve = Callable[..., None]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts servers that answer every client with the address it comes from."""
    stop = threading.Event()
    threads: list[threading.Thread] = []

    def start(
        namespace: NetworkNamespace,
        port: int,
        kind: int = socket.SOCK_STREAM,
        family: int = socket.AF_INET,
    ) -> None:
        server = namespace.run(_listen, port, kind, family)
        threads.append(threading.Thread(target=_answer, args=(server, kind, stop)))
        threads[-1].start()

    yield start
    stop.set()
    for thread in threads:
        thread.join()


def _answer(server: socket.socket, kind: int, stop: threading.Event) -> None:
    with server:
        while not stop.is_set():
            try:
                if kind == socket.SOCK_DGRAM:
                    _, peer = server.recvfrom(100)
                    server.sendto(peer[0].encode(), peer)
                else:
                    connection, peer = server.accept()
                    with connection:
                        connection.sendall(peer[0].encode())
            except TimeoutError:
                continue


def _listen(port: int, kind: int, family: int = socket.AF_INET) -> socket.socket:
    server = socket.socket(family, kind)
    server.bind(("" if family == socket.AF_INET else "::", port))
    if kind == socket.SOCK_STREAM:
        server.listen()
    server.settimeout(0.1)
    return server


def ask(address: str, port: int, kind: int = socket.SOCK_STREAM) -> str:
    """The answer of a server, or the name of the failure."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, kind) as client:
        client.settimeout(WAIT)
        try:
            client.connect((address, port))
            if kind == socket.SOCK_DGRAM:
                client.send(b"?")
            return client.recv(100).decode()
        except OSError as error:
            return type(error).__name__


def test_a_published_port_is_reached_from_outside_with_the_clients_address(
    room: Room, outside: NetworkNamespace, namespaces: Callable[[], NetworkNamespace], serve: Serve
) -> None:
    box = namespaces()
    room.run(box, PortRequest(80, host_port=8080))
    serve(box, 80)
    assert outside.run(ask, "192.0.2.1", 8080) == "192.0.2.9"


def test_a_published_port_is_reached_from_the_host_by_any_of_its_addresses(
    room: Room, outside: NetworkNamespace, namespaces: Callable[[], NetworkNamespace], serve: Serve
) -> None:
    box = namespaces()
    endpoint = room.run(box, PortRequest(80, host_port=8080))
    serve(box, 80)
    for address in ("127.0.0.1", "192.0.2.1", endpoint.gateway):
        assert room.host.run(ask, address, 8080) in (endpoint.gateway, "192.0.2.1"), address


def test_a_udp_port_is_published_and_answers_over_loopback(
    room: Room, outside: NetworkNamespace, namespaces: Callable[[], NetworkNamespace], serve: Serve
) -> None:
    box = namespaces()
    endpoint = room.run(box, PortRequest(53, "udp", host_port=5300))
    serve(box, 53, socket.SOCK_DGRAM)
    assert outside.run(ask, "192.0.2.1", 5300, socket.SOCK_DGRAM) == "192.0.2.9"
    assert room.host.run(ask, "127.0.0.1", 5300, socket.SOCK_DGRAM) == endpoint.gateway


def test_a_udp_flow_that_goes_on_follows_the_port_to_its_new_container(
    room: Room,
    outside: NetworkNamespace,
    namespaces: Callable[[], NetworkNamespace],
    serve: Serve,
) -> None:
    first, second = namespaces(), namespaces()
    endpoint = room.run(first, PortRequest(53, "udp", host_port=5300))
    serve(first, 53, socket.SOCK_DGRAM)
    serve(second, 53, socket.SOCK_DGRAM)
    with outside.run(socket.socket, socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(WAIT)
        client.connect(("192.0.2.1", 5300))
        client.send(b"?")
        assert client.recv(100) == b"192.0.2.9"
        room.host.run(room.attachments.release, [endpoint])
        room.run(second, PortRequest(53, "udp", host_port=5300))
        client.send(b"?")
        assert client.recv(100) == b"192.0.2.9"


def test_a_port_bound_to_loopback_is_not_reached_from_outside(
    room: Room, outside: NetworkNamespace, namespaces: Callable[[], NetworkNamespace], serve: Serve
) -> None:
    box = namespaces()
    room.run(box, PortRequest(80, host_ip="127.0.0.1", host_port=8080))
    serve(box, 80)
    assert outside.run(ask, "192.0.2.1", 8080) == "ConnectionRefusedError"
    assert room.host.run(ask, "127.0.0.1", 8080)[:4] == "172."


@pytest.mark.parametrize("filtered", ["0", "1"])
def test_a_container_reaches_its_own_and_a_neighbours_published_port(
    room: Room,
    outside: NetworkNamespace,
    namespaces: Callable[[], NetworkNamespace],
    serve: Serve,
    filtered: str,
) -> None:
    switch = "/proc/sys/net/bridge/bridge-nf-call-iptables"
    if room.host.run(os.path.exists, switch):
        room.host.run(write_network_sysctl, "net/bridge/bridge-nf-call-iptables", filtered)
    elif filtered == "1":
        pytest.skip("needs module br_netfilter")
    box, neighbour = namespaces(), namespaces()
    endpoint = room.run(box, PortRequest(80, host_port=8080))
    room.run(neighbour)
    serve(box, 80)
    for client in (box, neighbour):
        assert client.run(ask, "192.0.2.1", 8080) == endpoint.gateway


def test_what_leaves_a_container_takes_the_hosts_address(
    room: Room, outside: NetworkNamespace, namespaces: Callable[[], NetworkNamespace], serve: Serve
) -> None:
    box = namespaces()
    room.run(box)
    serve(outside, 7000)
    assert box.run(ask, "192.0.2.9", 7000) == "192.0.2.1"


def test_an_unpublished_port_is_not_reached_from_outside(
    room: Room, outside: NetworkNamespace, namespaces: Callable[[], NetworkNamespace], serve: Serve
) -> None:
    box = namespaces()
    endpoint = room.run(box)
    serve(box, 80)
    route = Interface(name="eth0", routes=(Route("172.16.0.0/12", "192.0.2.1"),))
    outside.run(configure, route)
    assert outside.run(ask, endpoint.ipv4, 80) == "TimeoutError"


def test_containers_of_one_bridge_reach_each_other_by_address(
    room: Room, namespaces: Callable[[], NetworkNamespace], serve: Serve
) -> None:
    box, neighbour = namespaces(), namespaces()
    endpoint, other = room.run(box), room.run(neighbour)
    serve(box, 80)
    assert neighbour.run(ask, endpoint.ipv4, 80) == other.ipv4


def test_containers_of_two_bridges_are_isolated_but_for_published_ports(
    room: Room, outside: NetworkNamespace, namespaces: Callable[[], NetworkNamespace], serve: Serve
) -> None:
    wanted = NetworkRecord(id="", name="blue", driver="bridge", created="")
    room.create(wanted)
    box, stranger = namespaces(), namespaces()
    endpoint = room.run(box, PortRequest(80, host_port=8080))
    room.run(stranger, network="blue")
    serve(box, 80)
    assert stranger.run(ask, endpoint.ipv4, 80) == "TimeoutError"
    assert stranger.run(ask, "192.0.2.1", 8080).startswith("172.")


def test_an_internal_network_reaches_nothing_outside(
    room: Room, outside: NetworkNamespace, namespaces: Callable[[], NetworkNamespace]
) -> None:
    wanted = NetworkRecord(id="", name="inner", driver="bridge", created="", internal=True)
    room.create(wanted)
    box = namespaces()
    room.run(box, network="inner")
    assert box.run(ask, "192.0.2.9", 7000) == "OSError"


@pytest.mark.parametrize("filtered", ["0", "1"])
def test_icc_false_keeps_containers_of_one_bridge_apart(
    room: Room, namespaces: Callable[[], NetworkNamespace], serve: Serve, filtered: str
) -> None:
    switch = "net/bridge/bridge-nf-call-iptables"
    if room.host.run(os.path.exists, f"/proc/sys/{switch}"):
        room.host.run(write_network_sysctl, switch, filtered)
    elif filtered == "1":
        pytest.skip("needs module br_netfilter")
    wanted = NetworkRecord(id="", name="apart", driver="bridge", created="", options={ICC: "false"})
    room.create(wanted)
    box, neighbour = namespaces(), namespaces()
    endpoint = room.run(box, network="apart")
    room.run(neighbour, network="apart")
    serve(box, 80)
    assert neighbour.run(ask, endpoint.ipv4, 80) == "TimeoutError"


def test_a_dual_stack_network_publishes_and_masquerades_over_ipv6_too(
    room: Room,
    outside: NetworkNamespace,
    namespaces: Callable[[], NetworkNamespace],
    serve: Serve,
) -> None:
    room.host.run(configure, Interface(name="up0", addresses=("2001:db8::1/64",)))
    outside.run(configure, Interface(name="eth0", addresses=("2001:db8::9/64",)))
    wanted = NetworkRecord(id="", name="six", driver="bridge", created="", enable_ipv6=True)
    room.create(wanted)
    box = namespaces()
    endpoint = room.run(box, PortRequest(80, host_port=8080), network="six")
    assert {port.host_ip for port in endpoint.ports} == {"0.0.0.0", "::"}
    serve(box, 80, family=socket.AF_INET6)
    assert outside.run(ask, "2001:db8::1", 8080) == "2001:db8::9"
    assert outside.run(ask, "192.0.2.1", 8080) == "::ffff:192.0.2.9"
    assert room.host.run(ask, "2001:db8::1", 8080) in ("2001:db8::1", endpoint.ipv6_gateway)
    serve(outside, 7000, family=socket.AF_INET6)
    assert box.run(ask, "2001:db8::9", 7000) == "2001:db8::1"


def test_a_range_of_equal_ports_is_published_as_one_element(
    room: Room, outside: NetworkNamespace, namespaces: Callable[[], NetworkNamespace], serve: Serve
) -> None:
    box = namespaces()
    ports = [PortRequest(number, host_port=number) for number in range(8000, 8500)]
    endpoint = room.run(box, *ports)
    serve(box, 8321)
    assert outside.run(ask, "192.0.2.1", 8321) == "192.0.2.9"
    elements = room.host.run(elements_of, "runs4")
    assert len(elements) == 1
    room.host.run(room.attachments.release, [endpoint])
    assert not room.host.run(elements_of, "runs4")


def elements_of(name: str) -> list[object]:
    """The elements of a map of the instance's table."""
    nftables = Nftables()
    try:
        found = nftables.query(f"list map inet {TABLE} {name}")
        return list(found[0]["map"].get("elem", []))
    finally:
        nftables.close()


def test_a_port_in_use_is_refused_in_dockers_words_and_reserves_nothing(
    room: Room, namespaces: Callable[[], NetworkNamespace]
) -> None:
    first = room.run(namespaces(), PortRequest(80, host_port=8080))
    request = EndpointRequest("d" * 64, "late", first.network)
    with pytest.raises(PortUnavailable, match="port is already allocated"):
        room.host.run(room.attachments.prepare, [request], [PortRequest(80, host_port=8080)])
    assert [e.container_name for e in room.catalog.endpoints(first.network)] == ["box"]
    with (
        room.host.run(_listen, 9090, socket.SOCK_STREAM),
        pytest.raises(PortUnavailable, match="address already in use"),
    ):
        room.host.run(room.attachments.prepare, [request], [PortRequest(80, host_port=9090)])


def test_a_flushed_rule_set_is_made_again_with_the_next_port(
    room: Room, outside: NetworkNamespace, namespaces: Callable[[], NetworkNamespace], serve: Serve
) -> None:
    box = namespaces()
    room.run(box, PortRequest(80, host_port=8080))
    room.host.run(run_nft, "flush ruleset")
    room.run(namespaces(), PortRequest(80, host_port=8081))
    serve(box, 80)
    assert outside.run(ask, "192.0.2.1", 8080) == "192.0.2.9"


def run_nft(commands: str) -> None:
    """Runs nft commands in the caller's namespace."""
    nftables = Nftables()
    try:
        nftables.run(commands)
    finally:
        nftables.close()


def test_a_running_container_keeps_its_ports_and_address_over_a_new_daemon(
    room: Room, outside: NetworkNamespace, namespaces: Callable[[], NetworkNamespace], serve: Serve
) -> None:
    box = namespaces()
    endpoint = room.run(box, PortRequest(80, host_port=8080))
    records = room.catalog.records()
    later = Room.__new__(Room)
    later.host = room.host
    later.firewall = Firewall(TABLE)
    later.bridges = Bridges(later.firewall, ForeignFirewalls(later.firewall, TABLE))
    later.catalog = NetworkCatalog(DEFAULT_POOLS, host_routes)
    later.attachments = Attachments(
        later.catalog, later.bridges, later.firewall, Publication(later.firewall, HostPorts())
    )
    later.lifecycle = NetworkLifecycle(
        later.catalog, later.bridges, later.firewall, BridgeSettings(name="wherry0")
    )
    assert later.host.run(later.lifecycle.open, records) == []
    later.host.run(later.attachments.restore, [endpoint])
    later.host.run(later.lifecycle.settle)
    serve(box, 80)
    assert outside.run(ask, "192.0.2.1", 8080) == "192.0.2.9"
    request = EndpointRequest("e" * 64, "new", endpoint.network, ipv4=endpoint.ipv4)
    with pytest.raises(AddressInUse):
        later.host.run(later.attachments.prepare, [request])
    later.host.run(later.attachments.release, [endpoint])
    later.host.run(later.lifecycle.close)


def test_nothing_is_left_after_the_last_container_and_other_tables_stay(
    host: NetworkNamespace, namespaces: Callable[[], NetworkNamespace]
) -> None:
    host.run(run_nft, "add table ip keep\nadd chain ip keep mine")
    room = Room(host, BridgeSettings(name="wherry0"))
    box = namespaces()
    endpoint = room.run(box, PortRequest(80, host_port=8080))
    assert host.run(tables) == ["keep", TABLE]
    host.run(room.attachments.release, [endpoint])
    host.run(room.attachments.unlink, [endpoint])
    host.run(room.lifecycle.close)
    assert host.run(tables) == ["keep"]
    assert host.run(link_names) == ["lo"]


def test_an_empty_bridge_and_a_stale_table_of_a_killed_daemon_are_removed(
    host: NetworkNamespace,
) -> None:
    host.run(run_nft, f"add table inet {TABLE}\nadd chain inet {TABLE} stale")
    host.run(add_bridge, "wherry0")
    room = Room(host, BridgeSettings(name="wherry0"))
    chains = {chain["name"] for chain in host.run(room.firewall.chains)}
    assert "stale" not in chains
    host.run(room.lifecycle.close)
    assert host.run(tables) == []
    assert host.run(link_names) == ["lo"]


def add_bridge(name: str) -> None:
    """Makes a bridge in the caller's namespace."""
    with Netlink() as netlink:
        netlink.add_bridge(name)


def test_two_engines_in_one_namespace_have_their_own_subnets_bridges_and_tables(
    host: NetworkNamespace, namespaces: Callable[[], NetworkNamespace], serve: Serve
) -> None:
    room = Room(host, BridgeSettings(name="wherry0"))
    other = Room(host, BridgeSettings(name="wh0123456"), "wherry-0123456")
    box, stranger = namespaces(), namespaces()
    endpoint, foreign = room.run(box, PortRequest(80, host_port=8080)), other.run(stranger)
    assert (endpoint.gateway, foreign.gateway) == ("172.17.0.1", "172.18.0.1")
    host.run(other.attachments.release, [foreign])
    host.run(other.lifecycle.close)
    assert host.run(tables) == [TABLE]
    serve(box, 80)
    assert host.run(ask, "127.0.0.1", 8080) == endpoint.gateway
    host.run(room.attachments.release, [endpoint])
    host.run(room.lifecycle.close)


def tables() -> list[str]:
    """Names of the tables in the caller's namespace."""
    nftables = Nftables()
    try:
        return sorted(entry["table"]["name"] for entry in nftables.query("list tables"))
    finally:
        nftables.close()


def link_names() -> list[str]:
    """Names of the links in the caller's namespace."""
    with Netlink() as netlink:
        return [
            link.name
            for link in netlink.links()
            if link.kind in ("bridge", "veth", "") and not link.name.startswith("ifb")
        ]


def test_the_default_subnet_clashes_with_no_route_of_the_host(host: NetworkNamespace) -> None:
    other = NetworkNamespace()
    connect(host, other, "up0", "eth0")
    host.run(configure, Interface(name="up0", addresses=("172.17.0.5/15",)))
    room = Room(host, BridgeSettings(name="wherry0"))
    assert room.catalog.get("bridge").subnets[0] == Subnet("172.18.0.0/16", "172.18.0.1")
    host.run(room.lifecycle.close)
    other.close()


def test_dockers_forward_policy_is_opened_in_its_user_chain_and_closed_again(
    host: NetworkNamespace,
    outside: NetworkNamespace,
    namespaces: Callable[[], NetworkNamespace],
    serve: Serve,
) -> None:
    host.run(
        run_nft,
        "add table ip filter\nadd chain ip filter DOCKER-USER\n"
        "add chain ip filter FORWARD { type filter hook forward priority 0; policy drop; }\n"
        "add rule ip filter FORWARD jump DOCKER-USER",
    )
    room = Room(host, BridgeSettings(name="wherry0"))
    box = namespaces()
    endpoint = room.run(box, PortRequest(80, host_port=8080))
    serve(box, 80)
    assert outside.run(ask, "192.0.2.1", 8080) == "192.0.2.9"
    assert room.bridges.warnings == []
    host.run(room.attachments.release, [endpoint])
    host.run(room.lifecycle.close)
    assert host.run(room.firewall.rules_of, "ip", "filter", "DOCKER-USER") == []
    host.run(room.firewall.close)


def test_a_firewall_that_drops_forwarded_packets_is_named_with_the_remedy(
    host: NetworkNamespace, namespaces: Callable[[], NetworkNamespace]
) -> None:
    host.run(
        run_nft,
        "add table ip filter\n"
        "add chain ip filter FORWARD { type filter hook forward priority 0; policy drop; }\n"
        "add chain ip filter ufw-before-forward",
    )
    room = Room(host, BridgeSettings(name="wherry0"))
    endpoint = room.run(namespaces())
    assert len(room.bridges.warnings) == 1
    assert "ufw route allow in on wherry0" in room.bridges.warnings[0]
    host.run(room.attachments.release, [endpoint])
    host.run(room.lifecycle.close)


def test_the_old_iptables_is_asked_for_its_policy_too(
    host: NetworkNamespace, namespaces: Callable[[], NetworkNamespace]
) -> None:
    program = shutil.which("iptables-legacy")
    if program is None:
        pytest.skip("needs iptables-legacy")
    made = host.run(subprocess.run, [program, "-P", "FORWARD", "DROP"], capture_output=True)
    if made.returncode:
        pytest.skip("needs a kernel with the old iptables")
    room = Room(host, BridgeSettings(name="wherry0"))
    endpoint = room.run(namespaces())
    assert "iptables-legacy -I FORWARD -i wherry0" in room.bridges.warnings[0]
    host.run(room.attachments.release, [endpoint])
    host.run(room.lifecycle.close)
