"""Who reaches whom: networks apart from each other, internal ones, containers apart on one."""

from collections.abc import Iterator

import pytest

from tests.support.engine import Engine
from tests.support.lan import HOST, HOST6, OUTSIDE, OUTSIDE6, Lan, ask, running
from wherry.linux.netlink.route import write_network_sysctl


@pytest.fixture(scope="module")
def lan(engine_ready: None) -> Iterator[Lan]:
    with Lan() as made:
        yield made


@pytest.fixture(scope="module")
def box(lan: Lan) -> Iterator[Engine]:
    with running(lan) as engine:
        engine.docker("network", "create", "--ipv6", "--subnet", "10.81.0.0/24", "red")
        engine.docker("network", "create", "--ipv6", "--subnet", "10.82.0.0/24", "blue")
        engine.docker(
            "network", "create", "--ipv6", "--internal", "--subnet", "10.83.0.0/24", "inner"
        )
        for name, network in (("r1", "red"), ("b1", "blue"), ("i1", "inner"), ("j1", "inner")):
            engine.docker(
                "run", "-d", "--name", name, "--network", network, "busybox", "sleep", "600"
            )
            lan.serve(lan.inside(engine, name), 80, address="::")
        lan.serve(lan.outside, 7000, address="::")
        yield engine


def addresses(engine: Engine, name: str) -> list[str]:
    """A container's IPv4 and IPv6 address."""
    template = "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{.GlobalIPv6Address}}{{end}}"
    return engine.docker("inspect", "-f", template, name).stdout.split()


@pytest.mark.parametrize(
    ("source", "target"), [("r1", "b1"), ("b1", "r1"), ("r1", "i1"), ("i1", "r1")]
)
def test_networks_are_apart_in_both_directions(
    lan: Lan, box: Engine, source: str, target: str
) -> None:
    for address in addresses(box, target):
        assert lan.inside(box, source).run(ask, address, 80) in ("TimeoutError", "OSError")


def test_an_internal_network_is_a_network_for_its_own(lan: Lan, box: Engine) -> None:
    for address in addresses(box, "i1"):
        assert lan.inside(box, "j1").run(ask, address, 80) != "TimeoutError"
        assert ":" in lan.host.run(ask, address, 80)  # the host is its neighbour
    for address in (OUTSIDE, OUTSIDE6):
        assert lan.inside(box, "i1").run(ask, address, 7000) == "OSError"


def test_an_internal_network_has_no_way_out_even_for_those_who_make_one(
    lan: Lan, box: Engine
) -> None:
    box.docker(
        "run", "-d", "--name", "sly", "--network", "inner", "--cap-add", "NET_ADMIN", "busybox",
        "sleep", "600",
    )  # fmt: skip
    box.docker("exec", "sly", "ip", "route", "add", "default", "via", "10.83.0.1")
    for address in (OUTSIDE, addresses(box, "r1")[0]):
        assert lan.inside(box, "sly").run(ask, address, 7000) == "TimeoutError"
    box.docker("rm", "-f", "sly")


def test_those_of_two_networks_reach_both_and_pass_nothing_on(lan: Lan, box: Engine) -> None:
    box.docker("run", "-d", "--name", "two", "--network", "red", "busybox", "sleep", "600")
    box.docker("network", "connect", "blue", "two")
    for name in ("r1", "b1"):
        for address in addresses(box, name):
            assert lan.inside(box, "two").run(ask, address, 80) != "TimeoutError"
    box.docker("rm", "-f", "two")


def test_nobody_outside_reaches_what_is_not_published(lan: Lan, box: Engine) -> None:
    lan.outside.run(route, "10.81.0.0/24", HOST)
    prefix = addresses(box, "r1")[1].rpartition("::")[0]
    lan.outside.run(route, f"{prefix}::/64", HOST6)
    for address in addresses(box, "r1"):
        assert lan.outside.run(ask, address, 80) == "TimeoutError"


def route(destination: str, gateway: str) -> None:
    from wherry.linux.netlink.route import Netlink

    with Netlink() as netlink:
        netlink.add_route(destination, gateway=gateway)


@pytest.mark.parametrize("filtered", ["0", "1"])
def test_without_icc_containers_of_one_network_are_apart_but_for_published_ports(
    lan: Lan, box: Engine, filtered: str
) -> None:
    switch = "net/bridge/bridge-nf-call-iptables"
    try:
        lan.host.run(write_network_sysctl, switch, filtered)
    except FileNotFoundError:
        if filtered == "1":
            pytest.skip("needs module br_netfilter")
    option = "com.docker.network.bridge.enable_icc=false"
    box.docker("network", "create", "--ipv6", "-o", option, "apart")
    box.docker("run", "-d", "--name", "p1", "--network", "apart", "-p", "8080:80", "busybox",
               "sleep", "600")  # fmt: skip
    box.docker("run", "-d", "--name", "q1", "--network", "apart", "busybox", "sleep", "600")
    lan.serve(lan.inside(box, "p1"), 80, address="::")
    for address in addresses(box, "p1"):
        assert lan.inside(box, "q1").run(ask, address, 80) in ("TimeoutError", "OSError")
    assert ":" in lan.inside(box, "q1").run(ask, HOST, 8080)
    assert ":" in lan.inside(box, "q1").run(ask, OUTSIDE, 7000)
    box.docker("rm", "-f", "p1", "q1")
    box.docker("network", "rm", "apart")
