"""The default bridge with real containers: the way out, the way in, and each other."""

import json
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.engine import Engine
from tests.support.lan import HOST, OUTSIDE, UDP, Lan, ask, links, listen, nft, running, tables
from tests.support.netns import NetworkNamespace
from wherry.linux.capability import NUMBERS, mask, set_bounding
from wherry.linux.mount import MS_BIND, MS_PRIVATE, MS_REC, mount
from wherry.linux.namespace import CLONE_NEWNS, unshare


@pytest.fixture(autouse=True)
def no_container_stays(box: Engine) -> Iterator[None]:
    yield
    left = box.docker("ps", "-aq").stdout.split()
    if left:
        box.docker("rm", "-f", *left)


def start(engine: Engine, name: str, *options: str) -> str:
    """Starts a container that does nothing; its address."""
    engine.docker("run", "-d", "--name", name, *options, "busybox", "sleep", "600")
    return address_of(engine, name)


def address_of(engine: Engine, name: str) -> str:
    """A container's address on its first network."""
    template = "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}"
    return engine.docker("inspect", "-f", template, name).stdout.split()[0]


def test_the_outside_is_reached_with_the_hosts_address(lan: Lan, box: Engine) -> None:
    lan.serve(lan.outside, 7000)
    done = box.docker("run", "--rm", "busybox", "nc", OUTSIDE, "7000")
    assert done.stdout == HOST


def test_containers_reach_each_other_by_address(lan: Lan, box: Engine) -> None:
    address = start(box, "one")
    other = start(box, "two")
    lan.serve(lan.inside(box, "one"), 80)
    assert box.docker("exec", "two", "nc", address, "80").stdout == other


def test_a_published_tcp_port_is_reached_from_everywhere(lan: Lan, box: Engine) -> None:
    start(box, "web", "-p", "8080:80")
    other = start(box, "other")
    lan.serve(lan.inside(box, "web"), 80)
    assert lan.outside.run(ask, HOST, 8080) == OUTSIDE
    assert lan.host.run(ask, "127.0.0.1", 8080) != ""
    assert lan.host.run(ask, HOST, 8080) != ""
    answer = box.docker("exec", "other", "nc", HOST, "8080").stdout
    assert answer.startswith("172.") and answer != other
    assert box.docker("exec", "web", "nc", HOST, "8080").stdout.startswith("172.")
    assert "8080->80/tcp" in box.docker("ps").stdout
    assert box.docker("port", "web", "80").stdout.splitlines()[0] == "0.0.0.0:8080"


def test_a_published_udp_port_is_reached_from_everywhere(lan: Lan, box: Engine) -> None:
    start(box, "dns", "-p", "5300:53/udp")
    start(box, "other")
    lan.serve(lan.inside(box, "dns"), 53, UDP)
    assert lan.outside.run(ask, HOST, 5300, UDP) == OUTSIDE
    for namespace in (lan.host, lan.inside(box, "other"), lan.inside(box, "dns")):
        address = "127.0.0.1" if namespace is lan.host else HOST
        assert namespace.run(ask, address, 5300, UDP).startswith("172.")


def test_ranges_keep_their_order_shifted_or_not(lan: Lan, box: Engine) -> None:
    start(box, "many", "-p", "8000-8039:9000-9039", "-p", "7100-7140:7100-7140")
    inside = lan.inside(box, "many")
    lan.serve(inside, 9017)
    lan.serve(inside, 7133)
    assert lan.outside.run(ask, HOST, 8017) == OUTSIDE
    assert lan.outside.run(ask, HOST, 7133) == OUTSIDE
    assert lan.outside.run(ask, HOST, 8018) == "ConnectionRefusedError"


def test_a_port_bound_to_an_address_is_reached_there_alone(lan: Lan, box: Engine) -> None:
    start(box, "local", "-p", "127.0.0.1:8080:80", "-p", f"{HOST}:8081:80")
    lan.serve(lan.inside(box, "local"), 80)
    assert lan.outside.run(ask, HOST, 8080) == "ConnectionRefusedError"
    assert lan.host.run(ask, "127.0.0.1", 8080).startswith("172.")
    assert lan.outside.run(ask, HOST, 8081) == OUTSIDE
    assert lan.host.run(ask, "127.0.0.1", 8081) == "ConnectionRefusedError"


def test_a_port_is_chosen_when_none_is_named(lan: Lan, box: Engine) -> None:
    start(box, "any", "-p", "80", "-p", "81-90:81")
    lan.serve(lan.inside(box, "any"), 80)
    shown = json.loads(box.docker("inspect", "any").stdout)[0]["NetworkSettings"]["Ports"]
    port = int(shown["80/tcp"][0]["HostPort"])
    assert lan.outside.run(ask, HOST, port) == OUTSIDE
    assert shown["81/tcp"][0]["HostPort"] == "81"


def test_a_port_in_use_is_refused_in_dockers_words(lan: Lan, box: Engine) -> None:
    start(box, "first", "-p", "8080:80")
    again = box.docker("run", "--name", "late", "-p", "8080:80", "busybox", check=False)
    assert again.returncode == 125
    assert (
        "failed to set up container networking: driver failed programming external connectivity "
        "on endpoint late (" in again.stderr
    )
    assert "Bind for 0.0.0.0:8080 failed: port is already allocated" in again.stderr
    with lan.host.run(listen, "0.0.0.0", 9090, socket.SOCK_STREAM):
        taken = box.docker("run", "-p", "9090:80", "busybox", check=False)
    assert "address already in use" in taken.stderr
    assert box.docker("rm", "-f", "first").returncode == 0
    start(box, "next", "-p", "8080:80")


def test_the_names_of_the_machine_are_in_its_files(box: Engine) -> None:
    script = "cat /etc/hostname; hostname; cat /etc/hosts"
    done = box.docker(
        "run", "--rm", "-h", "web", "--domainname", "example.org", "--add-host", "db:10.1.2.3",
        "--add-host", "gw:host-gateway", "busybox", "sh", "-c", script,
    ).stdout.splitlines()  # fmt: skip
    assert done[:2] == ["web", "web"]
    lines = [tuple(line.split()) for line in done[2:]]
    assert ("127.0.0.1", "localhost") in lines
    assert ("10.1.2.3", "db") in lines
    assert ("172.17.0.1", "gw") in lines
    assert lines[-1][1:] == ("web.example.org", "web")
    identifier = box.docker("run", "-d", "busybox", "sleep", "9").stdout[:12]
    assert box.docker("exec", identifier, "hostname").stdout.strip() == identifier


def test_the_resolver_is_the_users_choice(box: Engine) -> None:
    shown = box.docker(
        "run", "--rm", "--dns", "10.9.9.9", "--dns-search", "corp.example", "--dns-option",
        "ndots:3", "busybox", "cat", "/etc/resolv.conf",
    ).stdout  # fmt: skip
    assert "nameserver 10.9.9.9\nsearch corp.example\noptions ndots:3\n" in shown


def test_host_and_none_have_the_network_they_are_named_for(lan: Lan, box: Engine) -> None:
    shown = box.docker("run", "--rm", "--network", "host", "busybox", "ip", "-o", "addr").stdout
    assert HOST in shown
    shown = box.docker("run", "--rm", "--network", "none", "busybox", "ip", "-o", "addr").stdout
    assert "127.0.0.1" in shown and "eth0" not in shown


def test_a_container_may_live_in_anothers_network(lan: Lan, box: Engine) -> None:
    address = start(box, "owner", "-p", "8080:80")
    shown = box.docker("run", "--rm", "--network", "container:owner", "busybox", "ip", "-o", "addr")
    assert address in shown.stdout
    box.docker("run", "-d", "--name", "guest", "--network", "container:owner", "busybox",
               "sleep", "600")  # fmt: skip
    lan.serve(lan.inside(box, "guest"), 80)
    assert lan.outside.run(ask, HOST, 8080) == OUTSIDE


def test_everything_made_for_a_container_goes_with_it(lan: Lan, box: Engine) -> None:
    before = lan.host.run(links)
    start(box, "web", "-p", "8080:80", "-p", "9000-9100:9000-9100")
    assert len(lan.host.run(links)) == len(before) + 1
    box.docker("rm", "-f", "web")
    assert lan.host.run(links) == before
    [table] = lan.host.run(tables)
    found = lan.host.run(nft, f"list table inet {table}")
    maps = [entry["map"] for entry in found if "map" in entry]
    filled = [item["name"] for item in maps if item.get("elem")]
    assert filled == ["hairpins"]


def test_two_daemons_on_one_machine_leave_each_other_alone(lan: Lan, box: Engine) -> None:
    start(box, "web", "-p", "8080:80")
    lan.serve(lan.inside(box, "web"), 80)
    with running(lan) as other:
        assert start(other, "web", "-p", "8081:80") != address_of(box, "web")
        lan.serve(lan.inside(other, "web"), 80)
        assert lan.outside.run(ask, HOST, 8081) == OUTSIDE
        clash = other.docker("run", "-p", "8080:80", "busybox", "true", check=False)
        assert clash.returncode in (0, 125)
        other.kill()
        other.start()
        assert lan.outside.run(ask, HOST, 8081) == OUTSIDE
        other.docker("rm", "-f", "web")
    assert lan.outside.run(ask, HOST, 8080) == OUTSIDE


def test_loopback_resolvers_of_the_host_are_replaced(lan: Lan, tmp_path: Path) -> None:
    with NetworkNamespace() as host:
        host.run(hide, Path("/etc/resolv.conf"), tmp_path, "nameserver 127.0.0.1\nsearch a.b\n")
        with Engine(namespace=host) as engine:
            engine.import_busybox()
            shown = engine.docker("run", "--rm", "busybox", "cat", "/etc/resolv.conf").stdout
    assert "127.0.0.1" not in shown
    assert "nameserver 8.8.8.8\n" in shown and "search a.b\n" in shown


def hide(path: Path, scratch: Path, content: str) -> None:
    """Puts other content in a file's place, for the caller's thread and its children."""
    unshare(CLONE_NEWNS)
    mount("", "/", "", MS_REC | MS_PRIVATE)
    replacement = scratch / path.name
    replacement.write_text(content)
    mount(str(replacement), str(path.resolve()), "", MS_BIND)


@pytest.mark.parametrize("lack", ["rights", "library"])
def test_a_daemon_that_cannot_make_rules_says_so_once_and_runs_what_needs_none(
    lack: str, tmp_path: Path
) -> None:
    with NetworkNamespace() as host:
        if lack == "rights":
            host.run(set_bounding, mask(set(NUMBERS) - {"CAP_NET_ADMIN"}))
        else:
            listed = subprocess.run(["ldconfig", "-p"], capture_output=True, text=True, check=True)
            line = next(x for x in listed.stdout.splitlines() if "libnftables.so.1 " in x)
            host.run(hide, Path(line.split()[-1]), tmp_path, "no library\n")
        with Engine(namespace=host) as engine:
            engine.import_busybox()
            for network in ("none", "host"):
                done = engine.docker("run", "--rm", "--network", network, "busybox", "echo", "ok")
                assert done.stdout == "ok\n"
            refused = engine.docker("run", "--rm", "busybox", "true", check=False)
            assert refused.returncode == 125
            assert "none or host still run" in refused.stderr
            lines = [x for x in engine.log().splitlines() if "need nftables" in x]
            assert len([x for x in lines if "WARN" in x.upper()]) == 1
