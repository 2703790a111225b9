"""Networks of containers that exist: joined and left while they run and while they do not."""

import ipaddress
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.api import Api
from tests.support.engine import Engine
from tests.support.lan import HOST, HOST6, OUTSIDE, OUTSIDE6, Lan, again, ask, links


@pytest.fixture(autouse=True)
def nothing_stays(box: Engine) -> Iterator[None]:
    yield
    left = box.docker("ps", "-aq").stdout.split()
    if left:
        box.docker("rm", "-f", *left)
    box.docker("network", "prune", "-f")


def start(engine: Engine, name: str, *options: str) -> None:
    engine.docker("run", "-d", "--name", name, *options, "busybox", "sleep", "600")


def networks_of(engine: Engine, name: str) -> dict[str, Any]:
    """What inspect says of a container's networks."""
    shown = json.loads(engine.docker("inspect", name).stdout)[0]
    found: dict[str, Any] = shown["NetworkSettings"]["Networks"]
    return found


def inside(engine: Engine, name: str, *command: str) -> str:
    return engine.docker("exec", name, *command).stdout


def test_a_running_container_joins_a_network_and_leaves_it(lan: Lan, box: Engine) -> None:
    box.docker("network", "create", "--subnet", "10.77.0.0/24", "blue")
    start(box, "web")
    start(box, "peer", "--network", "blue", "--ip", "10.77.0.9")
    before = lan.host.run(links)
    box.docker("network", "connect", "--alias", "shop", "--ip", "10.77.0.5", "blue", "web")
    assert "inet 10.77.0.5/24" in inside(box, "web", "ip", "-4", "addr", "show", "eth1")
    lan.serve(lan.inside(box, "web"), 80)
    assert inside(box, "peer", "nc", "10.77.0.5", "80") == "10.77.0.9"
    shown = networks_of(box, "web")["blue"]
    assert (shown["IPAddress"], shown["Aliases"]) == ("10.77.0.5", ["shop"])
    assert "10.77.0.5\t" in inside(box, "web", "cat", "/etc/hosts")
    listed = json.loads(box.docker("network", "inspect", "blue").stdout)[0]["Containers"]
    assert {item["IPv4Address"] for item in listed.values()} == {"10.77.0.5/24", "10.77.0.9/24"}
    box.docker("network", "disconnect", "blue", "web")
    assert "eth1" not in inside(box, "web", "ip", "addr")
    assert "10.77.0.5\t" not in inside(box, "web", "cat", "/etc/hosts")
    assert "blue" not in networks_of(box, "web")
    assert lan.host.run(links) == before


def test_what_was_joined_is_there_again_after_a_restart_of_the_container(box: Engine) -> None:
    box.docker("network", "create", "blue")
    start(box, "web")
    box.docker("network", "connect", "blue", "web")
    box.docker("restart", "-t", "0", "web")
    shown = networks_of(box, "web")
    assert shown["blue"]["IPAddress"] in inside(box, "web", "ip", "-o", "addr")
    assert set(shown) == {"bridge", "blue"}


def test_an_address_may_be_asked_for_in_a_subnet_that_the_engine_picked(box: Engine) -> None:
    box.docker("network", "create", "blue")
    start(box, "web")
    subnet = json.loads(box.docker("network", "inspect", "blue").stdout)[0]["IPAM"]["Config"][0]
    wanted = str(ipaddress.ip_network(subnet["Subnet"])[77])
    box.docker("network", "connect", "--ip", wanted, "blue", "web")
    box.docker("restart", "-t", "0", "web")
    assert f"{wanted}/" in inside(box, "web", "ip", "-o", "addr")


def test_a_stopped_container_joins_and_leaves_by_its_next_start(box: Engine) -> None:
    box.docker("network", "create", "blue")
    box.docker("create", "--name", "web", "busybox", "sleep", "600")
    box.docker("network", "connect", "blue", "web")
    box.docker("network", "disconnect", "bridge", "web")
    assert set(networks_of(box, "web")) == {"blue"}
    box.docker("start", "web")
    assert inside(box, "web", "ip", "-o", "-4", "addr").count("eth") == 2  # name and label
    assert networks_of(box, "web")["blue"]["IPAddress"]


def test_the_way_out_follows_the_priority_and_whoever_is_left(lan: Lan, box: Engine) -> None:
    for name, third in (("a", 1), ("b", 2), ("c", 3)):
        box.docker("network", "create", "--subnet", f"10.78.{third}.0/24", name)
    start(box, "web", "--network", "a", "-p", "8080:80")
    lan.serve(lan.inside(box, "web"), 80)
    assert gateway(box, "web") == "10.78.1.1"
    box.docker("network", "connect", "b", "web")
    assert gateway(box, "web") == "10.78.1.1"
    box.docker("network", "connect", "--gw-priority", "5", "c", "web")
    assert gateway(box, "web") == "10.78.3.1"
    assert lan.outside.run(ask, HOST, 8080) == OUTSIDE
    box.docker("network", "disconnect", "c", "web")
    assert gateway(box, "web") == "10.78.1.1"
    assert lan.outside.run(ask, HOST, 8080) == OUTSIDE
    box.docker("network", "disconnect", "a", "web")
    assert gateway(box, "web") == "10.78.2.1"
    assert lan.outside.run(ask, HOST, 8080) == OUTSIDE
    box.docker("network", "disconnect", "b", "web")
    assert inside(box, "web", "ip", "route") == ""


def gateway(engine: Engine, name: str) -> str:
    """The default route's gateway inside a container."""
    words = inside(engine, name, "ip", "route", "show", "default").split()
    assert words[:2] == ["default", "via"] and words.count("default") == 1
    return words[2]


def test_a_network_with_ipv6_brings_a_second_way_out_and_in(lan: Lan, box: Engine) -> None:
    box.docker("network", "create", "--ipv6", "six")
    start(box, "web", "-p", "8080:80")
    lan.serve(lan.inside(box, "web"), 80, address="::")
    assert "172." in lan.outside.run(ask, HOST6, 8080)  # through the proxy
    box.docker("network", "connect", "six", "web")
    assert "default via fd" in inside(box, "web", "ip", "-6", "route")
    assert lan.outside.run(ask, HOST6, 8080) == OUTSIDE6
    assert gateway(box, "web").startswith("172.17.")
    box.docker("network", "disconnect", "six", "web")
    assert "172." in lan.outside.run(ask, HOST6, 8080)
    assert lan.outside.run(ask, HOST, 8080) == f"::ffff:{OUTSIDE}"


def test_several_networks_are_given_at_once(box: Engine) -> None:
    for name, third in (("a", 1), ("b", 2)):
        box.docker("network", "create", "--subnet", f"10.78.{third}.0/24", name)
    start(
        box, "web", "--network", "name=b,ip=10.78.2.7,alias=two",
        "--network", "name=a,gw-priority=1,mac-address=02:42:00:00:00:07",
    )  # fmt: skip
    assert gateway(box, "web") == "10.78.1.1"
    shown = networks_of(box, "web")
    assert shown["b"]["IPAddress"] == "10.78.2.7"
    assert shown["a"]["MacAddress"] == "02:42:00:00:00:07"
    assert "02:42:00:00:00:07" in inside(box, "web", "ip", "link")
    assert "10.78.2.7/" in inside(box, "web", "ip", "addr", "show", "eth0")


def test_interfaces_have_the_names_and_sysctls_asked_for(box: Engine) -> None:
    box.docker(
        "network", "create", "-o", "com.docker.network.container_iface_prefix=lan", "blue"
    )  # fmt: skip
    start(box, "web", "--network", "blue")
    assert "lan0" in inside(box, "web", "ip", "link")
    sysctls = "com.docker.network.endpoint.sysctls=net.ipv4.conf.IFNAME.log_martians=1"
    box.docker(
        "network", "connect", "--driver-opt", "com.docker.network.endpoint.ifname=up9",
        "--driver-opt", sysctls, "bridge", "web",
    )  # fmt: skip
    assert "up9" in inside(box, "web", "ip", "link")
    path = "/proc/sys/net/ipv4/conf/up9/log_martians"
    assert inside(box, "web", "cat", path) == "1\n"
    refused = box.docker(
        "network", "connect", "--driver-opt", "com.docker.network.endpoint.sysctls=kernel.x=1",
        "bridge", "web", check=False,
    )  # fmt: skip
    assert refused.returncode == 1 and "IFNAME" in refused.stderr


def test_a_container_in_a_user_namespace_of_its_own_joins_too(box: Engine) -> None:
    box.docker("network", "create", "--subnet", "10.77.0.0/24", "blue")
    body = {"Image": "busybox", "Cmd": ["sleep", "600"], "HostConfig": {"UsernsMode": "auto"}}
    api = Api(box.socket)
    api.call("POST", "/containers/create?name=mapped", body)
    api.call("POST", "/containers/mapped/start")
    box.docker("network", "connect", "--ip", "10.77.0.8", "blue", "mapped")
    assert "10.77.0.8/24" in inside(box, "mapped", "ip", "addr", "show", "eth1")
    box.docker("network", "disconnect", "bridge", "mapped")
    assert gateway(box, "mapped") == "10.77.0.1"


def test_refusals_are_in_dockers_words(box: Engine) -> None:
    box.docker("network", "create", "blue")
    start(box, "web")
    start(box, "lone", "--network", "none")
    start(box, "wide", "--network", "host")
    start(box, "guest", "--network", "container:web")
    cases = (
        (("connect", "bridge", "web"), "already exists in network bridge"),
        (("connect", "blue", "nobody"), "No such container: nobody"),
        (("connect", "nowhere", "web"), "network nowhere not found"),
        (("disconnect", "blue", "web"), "is not connected to network blue"),
        (("connect", "blue", "lone"), "one of the networks in private (none) mode"),
        (("connect", "blue", "wide"), "container sharing network namespace with another"),
        (("connect", "host", "web"), "connected to host network"),
        (("connect", "blue", "guest"), "container sharing network namespace with another"),
        (
            ("connect", "--ip", "10.9.9.9", "blue", "web"),
            "no configured subnet contains IP address 10.9.9.9",
        ),
        (("disconnect", "host", "wide"), "cannot be disconnected from host network"),
        (("rm", "bridge"), "bridge is a pre-defined network and cannot be removed"),
        (("create", "host"), "operation is not permitted on predefined host network"),
        (("create", "blue"), "network with name blue already exists"),
    )
    for words, text in cases:
        done = box.docker("network", *words, check=False)
        assert done.returncode == 1 and text in done.stderr, (words, done.stderr)
    assert set(networks_of(box, "web")) == {"bridge"}


def test_a_network_with_running_containers_stays(box: Engine) -> None:
    box.docker("network", "create", "blue")
    start(box, "web", "--network", "blue")
    refused = box.docker("network", "rm", "blue", check=False)
    assert refused.returncode == 1
    assert "error while removing network: network blue has active endpoints" in refused.stderr
    box.docker("network", "disconnect", "-f", "blue", "web")
    box.docker("network", "rm", "blue")


def test_a_renamed_container_has_its_new_name_on_its_networks(box: Engine) -> None:
    box.docker("network", "create", "blue")
    start(box, "web", "--network", "blue")
    box.docker("rename", "web", "shop")
    shown = networks_of(box, "shop")["blue"]
    assert "shop" in shown["DNSNames"] and "web" not in shown["DNSNames"]
    listed = json.loads(box.docker("network", "inspect", "blue").stdout)[0]["Containers"]
    assert [item["Name"] for item in listed.values()] == ["shop"]


def test_a_killed_daemon_finds_what_was_joined(lan: Lan, box: Engine) -> None:
    box.docker("network", "create", "--subnet", "10.77.0.0/24", "blue")
    start(box, "web", "-p", "8080:80")
    box.docker("network", "connect", "--gw-priority", "1", "--ip", "10.77.0.5", "blue", "web")
    lan.serve(lan.inside(box, "web"), 80)
    box.kill()
    assert lan.outside.run(ask, HOST, 8080) == OUTSIDE
    box.start()
    assert networks_of(box, "web")["blue"]["IPAddress"] == "10.77.0.5"
    assert lan.outside.run(ask, HOST, 8080) == OUTSIDE
    box.docker("network", "disconnect", "blue", "web")
    assert lan.outside.run(ask, HOST, 8080) == OUTSIDE
    assert "10.77" not in inside(box, "web", "ip", "addr")


def test_a_daemon_killed_amid_a_connect_leaves_nothing_half_made(lan: Lan, box: Engine) -> None:
    box.docker("network", "create", "--subnet", "10.77.0.0/24", "blue")
    start(box, "web")
    before = lan.host.run(links)
    zygote = child_named(box.pid, "wherry-zygote")
    os.kill(zygote, signal.SIGSTOP)  # the endpoint is written down, its interface cannot come
    client = box.spawn("network", "connect", "--ip", "10.77.0.5", "blue", "web")
    again(lambda: "10.77.0.5" in box.docker("network", "inspect", "blue").stdout)
    box.kill()
    os.kill(zygote, signal.SIGKILL)
    client.communicate(timeout=30)
    box.start()
    assert set(networks_of(box, "web")) == {"bridge"}
    assert lan.host.run(links) == before
    box.docker("network", "connect", "--ip", "10.77.0.5", "blue", "web")
    assert "10.77.0.5" in inside(box, "web", "ip", "addr", "show", "eth1")


def child_named(parent: int, name: str) -> int:
    """The child process of that name."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    for task in Path(f"/proc/{parent}/task").iterdir():
        children += (task / "children").read_text().split()
    return next(int(child) for child in children
                if Path(f"/proc/{child}/comm").read_text() == f"{name}\n")  # fmt: skip
