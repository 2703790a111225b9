"""Networks of all kinds, as the docker command line makes, shows and removes them."""

import errno
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.api import Api
from tests.support.engine import Engine
from tests.support.lan import HOST, HOST6, OUTSIDE, OUTSIDE6, Lan, ask, links, running
from tests.support.netns import connect
from wherry.linux.netlink.route import Netlink
from wherry.linux.syscall import SyscallError


@pytest.fixture(scope="module")
def lan(engine_ready: None) -> Iterator[Lan]:
    with Lan() as made:
        yield made


@pytest.fixture(scope="module")
def box(lan: Lan) -> Iterator[Engine]:
    with running(lan) as engine:
        yield engine


@pytest.fixture(autouse=True)
def nothing_stays(lan: Lan, box: Engine) -> Iterator[None]:
    before = lan.host.run(links)
    yield
    left = box.docker("ps", "-aq").stdout.split()
    if left:
        box.docker("rm", "-f", *left)
    box.docker("network", "prune", "-f")
    for name in box.docker("network", "ls", "-q", "--filter", "type=custom").stdout.split():
        box.docker("network", "rm", name)
    assert lan.host.run(links) == before


def start(engine: Engine, name: str, *options: str) -> None:
    engine.docker("run", "-d", "--name", name, *options, "busybox", "sleep", "600")


def inspect(engine: Engine, name: str) -> Any:
    return json.loads(engine.docker("network", "inspect", name).stdout)[0]


def inside(engine: Engine, name: str, *command: str) -> str:
    return engine.docker("exec", name, *command).stdout


def has_link_kind(kind: str) -> bool:
    """Whether the kernel makes links of a kind over the machine's wire."""
    with Netlink() as netlink:
        wire = netlink.link("up0")
        assert wire is not None
        try:
            if kind == "macvlan":
                netlink.add_macvlan("probe", wire.ifindex, "bridge")
            elif kind == "ipvlan":
                netlink.add_ipvlan("probe", wire.ifindex, "l2")
            else:
                netlink.add_vlan("probe", wire.ifindex, 5)
        except SyscallError as error:
            assert error.errno == errno.EOPNOTSUPP
            return False
        made = netlink.link("probe")
        assert made is not None
        netlink.delete_link(made.ifindex)
    return True


def test_a_network_is_as_it_was_asked_for(lan: Lan, box: Engine) -> None:
    box.docker(
        "network", "create", "--subnet", "10.90.1.0/24", "--gateway", "10.90.1.254", "--ip-range",
        "10.90.1.128/25", "--aux-address", "router=10.90.1.129", "--label", "a=b", "--attachable",
        "-o", "com.docker.network.bridge.name=blue0", "-o", "com.docker.network.driver.mtu=1400",
        "blue",
    )  # fmt: skip
    start(box, "web", "--network", "blue")
    start(box, "fixed", "--network", "blue", "--ip", "10.90.1.7")
    shown = inspect(box, "blue")
    assert shown["IPAM"]["Config"] == [
        {
            "Subnet": "10.90.1.0/24",
            "IPRange": "10.90.1.128/25",
            "Gateway": "10.90.1.254",
            "AuxiliaryAddresses": {"router": "10.90.1.129"},
        }
    ]
    assert (shown["Labels"], shown["Attachable"], shown["Driver"]) == ({"a": "b"}, True, "bridge")
    assert lan.host.run(links)["blue0"] == "bridge"
    given = {item["IPv4Address"] for item in shown["Containers"].values()}
    assert given == {"10.90.1.128/24", "10.90.1.7/24"} or "10.90.1.130/24" in given
    assert "10.90.1.129/24" not in given
    assert "mtu 1400" in inside(box, "web", "ip", "link", "show", "eth0")
    assert "via 10.90.1.254" in inside(box, "web", "ip", "route")


def test_ipv6_alone_and_both_versions_with_static_addresses(box: Engine) -> None:
    box.docker("network", "create", "--ipv6", "--subnet", "fd12::/64", "--subnet", "10.90.2.0/24",
               "both")  # fmt: skip
    box.docker("network", "create", "--ipv6", "--ipv4=false", "six")
    start(box, "web", "--network", "both", "--ip6", "fd12::77", "--link-local-ip", "169.254.9.9")
    start(box, "only", "--network", "six")
    addresses = inside(box, "web", "ip", "-o", "addr")
    for address in ("10.90.2.2/24", "fd12::77/64", "169.254.9.9/16"):
        assert address in addresses
    shown = inspect(box, "six")
    assert (shown["EnableIPv4"], shown["EnableIPv6"]) == (False, True)
    assert [item["Subnet"][:2] for item in shown["IPAM"]["Config"]] == ["fd"]
    assert " inet " not in inside(box, "only", "ip", "-o", "addr", "show", "eth0")
    assert "default via fd" in inside(box, "only", "ip", "-6", "route")
    assert inside(box, "only", "cat", "/proc/net/if_inet6").count("eth0") == 2


def test_a_configuration_is_written_once_and_used_by_many(box: Engine) -> None:
    box.docker("network", "create", "--config-only", "--subnet", "10.90.3.0/24", "-o",
               "com.docker.network.driver.mtu=1300", "settings")  # fmt: skip
    box.docker("network", "create", "--config-from", "settings", "made")
    start(box, "web", "--network", "made")
    assert "10.90.3." in inside(box, "web", "ip", "addr")
    assert "mtu 1300" in inside(box, "web", "ip", "link")
    assert inspect(box, "settings")["ConfigOnly"] is True
    assert inspect(box, "made")["ConfigFrom"] == {"Network": "settings"}
    refused = box.docker("network", "rm", "settings", check=False)
    assert 'configuration network "settings" is in use' in refused.stderr
    refused = box.docker("run", "--network", "settings", "busybox", "true", check=False)
    assert "cannot create endpoint on configuration-only network" in refused.stderr
    box.docker("rm", "-f", "web")
    box.docker("network", "rm", "made", "settings")


def test_networks_are_chosen_beside_those_the_host_reaches(lan: Lan, box: Engine) -> None:
    lan.host.run(route, "172.18.0.0/15")
    try:
        box.docker("network", "create", "blue")
        assert inspect(box, "blue")["IPAM"]["Config"][0]["Subnet"] == "172.20.0.0/16"
    finally:
        lan.host.run(unroute, "172.18.0.0/15")


def route(destination: str) -> None:
    with Netlink() as netlink:
        netlink.add_route(destination, gateway=OUTSIDE)


def unroute(destination: str) -> None:
    with Netlink() as netlink:
        netlink.delete_route(destination, gateway=OUTSIDE)


def test_what_cannot_be_is_refused_in_one_line_and_leaves_nothing(box: Engine) -> None:
    box.docker("network", "create", "--subnet", "10.90.1.0/24", "blue")
    cases = (
        (("--subnet", "10.90.1.0/25"), "Pool overlaps with other one on this address space"),
        (("--subnet", "10.90.5.0/24", "--subnet", "10.90.6.0/24"), "multiple subnets"),
        (("-d", "nope"), 'plugin "nope" not found'),
        (("-d", "host"), 'only one instance of "host" network is allowed'),
        (("-d", "overlay"), "This node is not a swarm manager."),
        (("-o", "com.docker.network.bridge.enable_icc=perhaps"), "failed to parse"),
        (("-o", "com.docker.network.bridge.gateway_mode_ipv4=odd"), "unknown gateway mode"),
        (("-o", "com.docker.network.bridge.gateway_mode_ipv4=isolated"), "internal network"),
        (("-d", "macvlan", "-o", "parent=nolink"), "parent link nolink of network x"),
        (("-d", "macvlan", "-o", "parent=nolink.5"), "failed to find master interface nolink"),
        (("-d", "macvlan", "-o", "parent=up0.5000"), "vlan id must be between 1-4094"),
        (("-d", "macvlan", "-o", "parent=up0", "-o", "macvlan_mode=odd"), "is not valid"),
        (("-d", "macvlan"), "needs a parent link: name one with -o parent=LINK"),
        (("--config-from", "nowhere"), 'configuration network "nowhere" does not exist'),
        (("--ipv4=false",), "IPv4 or IPv6 must be enabled"),
    )
    for options, text in cases:
        done = box.docker("network", "create", *options, "x", check=False)
        assert done.returncode == 1 and text in done.stderr, (options, done.stderr)
    assert box.docker("network", "ls", "-q", "--filter", "type=custom").stdout.count("\n") == 1


def test_the_default_bridge_has_ipv6_and_another_gateway_when_told(lan: Lan) -> None:
    options = ("--ipv6", "--fixed-cidr-v6", "fd99::/64", "--bip", "10.99.0.1/24",
               "--default-gateway", "10.99.0.9", "--userland-proxy=false")  # fmt: skip
    with running(lan, *options) as engine:
        start(engine, "web", "-p", "8099:80")
        assert "fd99::2/64" in inside(engine, "web", "ip", "addr")
        assert "default via 10.99.0.9" in inside(engine, "web", "ip", "route")
        assert "default via fd99::1" in inside(engine, "web", "ip", "-6", "route")
        lan.serve(lan.inside(engine, "web"), 80, address="::")
        assert lan.outside.run(ask, HOST6, 8099) == OUTSIDE6
        assert lan.host.run(ask, "::1", 8099) == "ConnectionRefusedError"
        engine.docker("rm", "-f", "web")


def test_a_bridge_of_the_users_serves_and_stays(lan: Lan, box: Engine) -> None:
    lan.host.run(make_bridge, "mine0", "10.90.8.1/24")
    try:
        make = ("network", "create", "--subnet", "10.90.8.0/24", "-o",
                "com.docker.network.bridge.name=mine0")  # fmt: skip
        box.docker(*make, "own")
        start(box, "web", "--network", "own")
        assert "via 10.90.8.1" in inside(box, "web", "ip", "route")
        box.docker("rm", "-f", "web")
        box.docker("network", "rm", "own")
        assert "10.90.8.1/24" in lan.host.run(addresses_of, "mine0")
        refused = box.docker(*make, "--gateway", "10.90.8.7", "own", check=False)
        assert "bridge mine0 exists and has no address 10.90.8.7/24" in refused.stderr
    finally:
        lan.host.run(remove, "mine0")


def make_bridge(name: str, address: str) -> None:
    with Netlink() as netlink:
        netlink.add_bridge(name)
    setup(name, address)


def test_an_isolated_bridge_has_no_address_on_the_host(lan: Lan, box: Engine) -> None:
    box.docker(
        "network", "create", "--internal", "--subnet", "10.90.7.0/24",
        "-o", "com.docker.network.bridge.gateway_mode_ipv4=isolated",
        "-o", "com.docker.network.bridge.name=alone0", "alone",
    )  # fmt: skip
    start(box, "web", "--network", "alone")
    assert lan.host.run(addresses_of, "alone0") == []
    assert inside(box, "web", "ip", "route").splitlines()[0].startswith("10.90.7.0/24")


def addresses_of(name: str) -> list[str]:
    with Netlink() as netlink:
        link = netlink.link(name)
        assert link is not None
        return [address for _, address in netlink.addresses(link.ifindex)]


def test_macvlan_puts_containers_on_the_wire_of_the_host(lan: Lan, box: Engine) -> None:
    if not lan.host.run(has_link_kind, "macvlan"):
        pytest.skip("needs macvlan links")
    box.docker("network", "create", "-d", "macvlan", "--subnet", "192.0.2.0/24", "--gateway",
               OUTSIDE, "--ip-range", "192.0.2.64/28", "-o", "parent=up0", "wire")  # fmt: skip
    start(box, "web", "--network", "wire", "--mac-address", "02:42:00:00:00:05")
    address = json.loads(box.docker("inspect", "web").stdout)[0]["NetworkSettings"]["Networks"][
        "wire"
    ]["IPAddress"]
    lan.serve(lan.inside(box, "web"), 80)
    assert lan.outside.run(ask, address, 80) == OUTSIDE
    assert lan.host.run(ask, address, 80) in ("TimeoutError", "OSError")  # as macvlan has it
    assert f"default via {OUTSIDE}" in inside(box, "web", "ip", "route")
    assert "02:42:00:00:00:05" in inside(box, "web", "ip", "link", "show", "eth0")
    start(box, "other", "--network", "wire")
    assert inside(box, "other", "nc", address, "80").startswith("192.0.2.6")
    box.docker("network", "connect", "bridge", "web")
    assert "eth1" in inside(box, "web", "ip", "link")
    box.docker("network", "disconnect", "wire", "web")
    assert "eth0" not in inside(box, "web", "ip", "link")
    assert "default via 172.17.0.1" in inside(box, "web", "ip", "route")
    box.docker("network", "connect", "wire", "web")
    assert lan.outside.run(ask, "192.0.2.66", 80) == OUTSIDE


def test_macvlan_survives_a_killed_daemon_and_joins_a_user_namespace(lan: Lan, box: Engine) -> None:
    if not lan.host.run(has_link_kind, "macvlan"):
        pytest.skip("needs macvlan links")
    box.docker("network", "create", "-d", "macvlan", "--subnet", "192.0.2.0/24", "--ip-range",
               "192.0.2.64/28", "-o", "parent=up0", "wire")  # fmt: skip
    api = Api(box.socket)
    body = {
        "Image": "busybox", "Cmd": ["sleep", "600"],
        "HostConfig": {"UsernsMode": "auto", "NetworkMode": "wire"},
    }  # fmt: skip
    api.call("POST", "/containers/create?name=mapped", body)
    api.call("POST", "/containers/mapped/start")
    box.kill()
    box.start()
    start(box, "second", "--network", "wire")
    listed = inspect(box, "wire")["Containers"].values()
    given = {item["Name"]: item["IPv4Address"].partition("/")[0] for item in listed}
    assert len(set(given.values())) == 2
    lan.serve(lan.inside(box, "mapped"), 80)
    assert lan.outside.run(ask, given["mapped"], 80) == OUTSIDE


@pytest.mark.parametrize(("kind", "text"), [
    ("ipvlan", "this kernel has no ipvlan links"),
    ("vlan", "this kernel has no VLAN links"),
])  # fmt: skip
def test_other_kinds_of_links_are_made_or_said_to_be_missing_in_one_line(
    lan: Lan, box: Engine, kind: str, text: str
) -> None:
    there = lan.host.run(has_link_kind, kind)
    driver = "ipvlan" if kind == "ipvlan" else "macvlan"
    parent = "up0" if kind == "ipvlan" else "up0.50"
    done = box.docker("network", "create", "-d", driver, "--subnet", "10.91.0.0/24", "-o",
                      f"parent={parent}", "kid", check=False)  # fmt: skip
    if there:
        assert done.returncode == 0
        start(box, "web", "--network", "kid")
        assert "10.91.0." in inside(box, "web", "ip", "addr")
    else:
        assert done.returncode == 1 and text in done.stderr
        assert "kid" not in box.docker("network", "ls").stdout


def test_prune_leaves_what_containers_refer_to(box: Engine) -> None:
    for name in ("used", "named", "free"):
        box.docker("network", "create", "--label", f"kind={name}", name)
    start(box, "web", "--network", "used")
    box.docker("create", "--network", "named", "busybox")
    assert box.docker("network", "ls", "-q", "--filter", "dangling=true").stdout.count("\n") >= 1
    done = box.docker("network", "prune", "-f", "--filter", "label=kind=used").stdout
    assert done == ""
    assert box.docker("network", "prune", "-f").stdout.split()[-1] == "free"


def test_events_tell_of_networks_and_their_containers(box: Engine) -> None:
    box.docker("network", "create", "blue")
    start(box, "web", "--network", "blue")
    box.docker("network", "disconnect", "blue", "web")
    box.docker("network", "rm", "blue")
    shown = box.docker(
        "events", "--since", "1h", "--until", str(int(time.time()) + 1),
        "--filter", "type=network", "--filter",
        "network=blue", "--format", "{{.Action}}",
    ).stdout.split()  # fmt: skip
    assert shown == ["create", "connect", "disconnect", "destroy"]


def test_a_second_wire_of_the_host_serves_a_network_of_its_own(lan: Lan, box: Engine) -> None:
    """trusted_host_interfaces lets one wire reach containers directly, and no other."""
    assert HOST
    connect(lan.host, lan.outside, "up1", "eth9")
    try:
        lan.host.run(setup, "up1", "198.51.100.1/24")
        lan.outside.run(setup, "eth9", "198.51.100.9/24")
        box.docker(
            "network", "create", "--subnet", "10.92.0.0/24",
            "-o", "com.docker.network.bridge.trusted_host_interfaces=up1", "blue",
        )  # fmt: skip
        start(box, "web", "--network", "blue", "--ip", "10.92.0.5")
        lan.serve(lan.inside(box, "web"), 80)
        lan.outside.run(route_by, "10.92.0.0/24", "198.51.100.1")
        assert lan.outside.run(ask, "10.92.0.5", 80) == "198.51.100.9"
    finally:
        lan.host.run(remove, "up1")


def setup(name: str, address: str) -> None:
    with Netlink() as netlink:
        link = netlink.link(name)
        assert link is not None
        netlink.set_link(link.ifindex, up=True)
        netlink.add_address(link.ifindex, address)


def route_by(destination: str, gateway: str) -> None:
    with Netlink() as netlink:
        netlink.add_route(destination, gateway=gateway)


def remove(name: str) -> None:
    with Netlink() as netlink:
        link = netlink.link(name)
        assert link is not None
        netlink.delete_link(link.ifindex)
