"""Published ports where rules alone do not reach: [::1], IPv6 to IPv4, no rules at all, routed."""

import json
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.engine import Engine
from tests.support.lan import HOST, HOST6, OUTSIDE, OUTSIDE6, UDP, Lan, again, ask, listen
from wherry.linux.netlink.route import Netlink


@pytest.fixture(autouse=True)
def nothing_stays(lan: Lan, box: Engine) -> Iterator[None]:
    yield
    left = box.docker("ps", "-aq").stdout.split()
    if left:
        box.docker("rm", "-f", *left)
    box.docker("network", "prune", "-f")
    again(lambda: proxies(lan) == [])


def start(engine: Engine, name: str, *options: str) -> None:
    engine.docker("run", "-d", "--name", name, *options, "busybox", "sleep", "600")


def proxies(lan: Lan) -> list[int]:
    """The proxy processes in the machine's network namespace."""
    own = lan.host.run(os.stat, "/proc/thread-self/ns/net").st_ino
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            named = (entry / "comm").read_text() == "wherry-proxy\n"
            if named and (entry / "ns/net").stat().st_ino == own:
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def test_a_port_is_reached_at_ipv6_loopback_and_over_ipv6_by_a_container_that_has_only_ipv4(
    lan: Lan, box: Engine
) -> None:
    start(box, "web", "-p", "8080:80", "-p", "5300:53/udp")
    lan.serve(lan.inside(box, "web"), 80)
    lan.serve(lan.inside(box, "web"), 53, UDP)
    for namespace, address in ((lan.host, "::1"), (lan.host, HOST6), (lan.outside, HOST6)):
        assert namespace.run(ask, address, 8080).startswith("172.")
        assert namespace.run(ask, address, 5300, UDP).startswith("172.")
    assert lan.outside.run(ask, HOST, 8080) == OUTSIDE
    assert "[::]:8080->80/tcp" in box.docker("ps").stdout


def test_a_dual_stack_container_keeps_the_ipv6_clients_address(lan: Lan, box: Engine) -> None:
    box.docker("network", "create", "--ipv6", "six")
    start(box, "web", "--network", "six", "-p", "8080:80", "-p", "5300:53/udp")
    inside = lan.inside(box, "web")
    lan.serve(inside, 80, address="::")
    lan.serve(inside, 53, UDP, address="::")
    assert lan.outside.run(ask, HOST6, 8080) == OUTSIDE6
    assert lan.outside.run(ask, HOST6, 5300, UDP) == OUTSIDE6
    assert lan.outside.run(ask, HOST, 8080) == f"::ffff:{OUTSIDE}"
    assert lan.host.run(ask, "::1", 8080).startswith("fd")
    assert lan.host.run(ask, "127.0.0.1", 8080).startswith("::ffff:172.")


def test_a_container_with_ipv6_alone_is_published_over_ipv6(lan: Lan, box: Engine) -> None:
    box.docker("network", "create", "--ipv6", "--ipv4=false", "only")
    start(box, "web", "--network", "only", "-p", "8080:80")
    lan.serve(lan.inside(box, "web"), 80, address="::")
    assert lan.outside.run(ask, HOST6, 8080) == OUTSIDE6
    assert lan.outside.run(ask, HOST, 8080) == "ConnectionRefusedError"
    shown = json.loads(box.docker("inspect", "web").stdout)[0]["NetworkSettings"]["Ports"]
    assert shown["80/tcp"] == [{"HostIp": "::", "HostPort": "8080"}]


def test_a_container_calls_its_neighbours_published_port_over_ipv6(lan: Lan, box: Engine) -> None:
    box.docker("network", "create", "--ipv6", "six")
    box.docker("network", "create", "--ipv6", "seven")
    start(box, "web", "--network", "six", "-p", "8080:80")
    start(box, "near", "--network", "six")
    start(box, "far", "--network", "seven")
    lan.serve(lan.inside(box, "web"), 80, address="::")
    for name in ("near", "far", "web"):
        assert ":" in lan.inside(box, name).run(ask, HOST6, 8080)


def test_thousands_of_ports_cost_no_process(lan: Lan, box: Engine) -> None:
    start(box, "many", "-p", "20000-21999:20000-21999", "-p", "22000-22999:22000-22999/udp")
    lan.serve(lan.inside(box, "many"), 21234)
    assert lan.outside.run(ask, HOST, 21234) == OUTSIDE
    assert lan.host.run(ask, "::1", 21234).startswith("172.")
    assert len(proxies(lan)) == 1


def test_long_transfers_pass_the_proxy_whole_in_both_directions(lan: Lan, box: Engine) -> None:
    start(box, "web", "-p", "8080:80")
    server = lan.inside(box, "web").run(listen, "0.0.0.0", 80, socket.SOCK_STREAM)
    payload = os.urandom(1 << 20) * 4
    with server, lan.host.run(dial, "::1", 8080) as client:
        server.settimeout(10)
        peer, _ = server.accept()
        with peer:
            peer.settimeout(10)
            assert exchange(client, peer, payload) == payload
            assert exchange(peer, client, payload[::-1]) == payload[::-1]


def dial(address: str, port: int) -> socket.socket:
    return socket.create_connection((address, port), timeout=10)


def exchange(source: socket.socket, sink: socket.socket, payload: bytes) -> bytes:
    """What arrives of a payload, whose end is the end of its direction."""
    received = bytearray()
    view = memoryview(payload)
    source.setblocking(False)
    while len(received) < len(payload):
        if view:
            try:
                view = view[source.send(view[: 1 << 16]) :]
                continue
            except BlockingIOError:
                pass
        elif source.fileno() >= 0 and view.nbytes == 0:
            source.setblocking(True)
            source.shutdown(socket.SHUT_WR)
            view = memoryview(b"")
            while piece := sink.recv(1 << 16):
                received += piece
            break
        received += sink.recv(1 << 16)
    return bytes(received)


def test_the_proxy_and_its_ports_outlive_a_killed_daemon(lan: Lan, box: Engine) -> None:
    start(box, "web", "-p", "8080:80")
    lan.serve(lan.inside(box, "web"), 80)
    box.kill()
    assert lan.host.run(ask, "::1", 8080).startswith("172.")
    box.start()
    assert lan.host.run(ask, "::1", 8080).startswith("172.")
    assert len(proxies(lan)) == 1
    box.docker("rm", "-f", "web")
    assert lan.host.run(ask, "::1", 8080) == "ConnectionRefusedError"


def test_a_proxy_that_dies_is_started_again(lan: Lan, box: Engine) -> None:
    start(box, "web", "-p", "8080:80")
    lan.serve(lan.inside(box, "web"), 80)
    [process] = proxies(lan)
    os.kill(process, signal.SIGKILL)
    box.wait_for_log("the proxy of published ports has ended")
    again(lambda: lan.host.run(ask, "::1", 8080).startswith("172."))


def test_a_port_of_somebody_else_at_ipv6_is_refused_and_nothing_is_left(
    lan: Lan, box: Engine
) -> None:
    with lan.host.run(listen, "::1", 8080, socket.SOCK_STREAM):
        taken = box.docker("run", "-p", "8080:80", "busybox", check=False)
    assert taken.returncode == 125
    assert "address already in use" in taken.stderr
    start(box, "next", "-p", "8080:80")


def test_a_routed_network_opens_its_ports_without_translation(lan: Lan, box: Engine) -> None:
    box.docker(
        "network", "create", "--subnet", "10.79.0.0/24",
        "-o", "com.docker.network.bridge.gateway_mode_ipv4=routed", "lane",
    )  # fmt: skip
    start(box, "web", "--network", "lane", "--ip", "10.79.0.5", "-p", "8080:80")
    lan.serve(lan.inside(box, "web"), 80)
    lan.serve(lan.inside(box, "web"), 81)
    lan.serve(lan.outside, 7000)
    lan.outside.run(add_route, "10.79.0.0/24", HOST)
    assert lan.outside.run(ask, "10.79.0.5", 80) == OUTSIDE
    assert lan.outside.run(ask, "10.79.0.5", 81) == "TimeoutError"
    assert lan.outside.run(ask, HOST, 8080) == "ConnectionRefusedError"
    assert lan.inside(box, "web").run(ask, OUTSIDE, 7000) == "10.79.0.5"


def add_route(destination: str, gateway: str) -> None:
    with Netlink() as netlink:
        netlink.add_route(destination, gateway=gateway)


def test_an_unprotected_network_lets_direct_traffic_in_and_takes_the_named_source_out(
    lan: Lan, box: Engine
) -> None:
    lan.host.run(add_address, "192.0.2.77/24")
    box.docker(
        "network", "create", "--subnet", "10.80.0.0/24",
        "-o", "com.docker.network.bridge.gateway_mode_ipv4=nat-unprotected",
        "-o", "com.docker.network.host_ipv4=192.0.2.77", "lane",
    )  # fmt: skip
    start(box, "web", "--network", "lane", "--ip", "10.80.0.5")
    lan.serve(lan.inside(box, "web"), 81)
    lan.serve(lan.outside, 7001)
    lan.outside.run(add_route, "10.80.0.0/24", HOST)
    assert lan.outside.run(ask, "10.80.0.5", 81) == OUTSIDE
    assert lan.inside(box, "web").run(ask, OUTSIDE, 7001) == "192.0.2.77"


def add_address(address: str) -> None:
    with Netlink() as netlink:
        link = netlink.link("up0")
        assert link is not None
        netlink.add_address(link.ifindex, address)


def test_a_network_may_publish_at_one_address_and_keep_its_own_on_the_way_out(
    lan: Lan, box: Engine
) -> None:
    box.docker(
        "network", "create", "--subnet", "10.84.0.0/24",
        "-o", "com.docker.network.bridge.host_binding_ipv4=127.0.0.1",
        "-o", "com.docker.network.bridge.enable_ip_masquerade=false", "lane",
    )  # fmt: skip
    start(box, "web", "--network", "lane", "--ip", "10.84.0.5", "-p", "8080:80")
    lan.serve(lan.inside(box, "web"), 80)
    lan.serve(lan.outside, 7002)
    assert lan.host.run(ask, "127.0.0.1", 8080) == "10.84.0.1"
    assert lan.outside.run(ask, HOST, 8080) == "ConnectionRefusedError"
    lan.outside.run(add_route, "10.84.0.0/24", HOST)
    assert lan.inside(box, "web").run(ask, OUTSIDE, 7002) == "10.84.0.5"


def test_without_rules_every_port_goes_through_the_proxy(lan: Lan, box: Engine) -> None:
    with Engine("--iptables=false", namespace=lan.host) as plain:
        plain.import_busybox()
        start(plain, "web", "-p", "8090:80")
        lan.serve(lan.inside(plain, "web"), 80)
        assert lan.outside.run(ask, HOST, 8090).startswith("172.")
        assert lan.host.run(ask, "127.0.0.1", 8090).startswith("172.")
        assert lan.outside.run(ask, HOST6, 8090).startswith("172.")


def test_publishing_all_exposed_ports_chooses_one_for_both_versions(lan: Lan, box: Engine) -> None:
    start(box, "web", "-P", "--expose", "80", "--expose", "53/udp")
    shown = json.loads(box.docker("inspect", "web").stdout)[0]["NetworkSettings"]["Ports"]
    assert {item["HostIp"] for item in shown["80/tcp"]} == {"0.0.0.0", "::"}
    assert len({item["HostPort"] for item in shown["80/tcp"]}) == 1
    assert shown["53/udp"]
