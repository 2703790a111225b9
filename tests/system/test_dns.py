"""The embedded DNS server with real containers: names, forwarding, and its long life."""

import contextlib
import os
import random
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.engine import Engine
from tests.support.lan import OUTSIDE, Lan, listen, running
from tests.support.name_server import (
    ADDRESS,
    NameServer,
    addresses,
    ask_tcp,
    ask_udp,
    name_server,
    query_for,
)
from tests.support.netns import NetworkNamespace
from wherry.linux.netlink.route import Netlink, link_index
from wherry.network.dns import message as m

WHERRY = Path(__file__).parents[2] / "bin" / "wherry"


@pytest.fixture(scope="module")
def lan() -> Iterator[Lan]:
    with Lan() as made:
        yield made


@pytest.fixture(scope="module")
def upstream(lan: Lan) -> Iterator[NameServer]:
    with name_server(lan.outside, OUTSIDE) as server:
        yield server


@pytest.fixture(scope="module")
def box(lan: Lan, upstream: NameServer, engine_ready: None) -> Iterator[Engine]:
    with running(lan, "--dns", OUTSIDE) as engine:
        engine.docker("network", "create", "front")
        engine.docker("network", "create", "back")
        yield engine


@pytest.fixture(autouse=True)
def no_container_stays(box: Engine) -> Iterator[None]:
    yield
    left = box.docker("ps", "-aq").stdout.split()
    if left:
        box.docker("rm", "-f", *left)


def start(engine: Engine, name: str, *options: str, network: str = "front") -> str:
    """Starts a container that does nothing on a network; its address there."""
    words = ("--name", name, "--network", network, *options, "busybox", "sleep", "600")
    engine.docker("run", "-d", *words)
    template = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
    return engine.docker("inspect", "-f", template, name).stdout.strip()


def look_up(engine: Engine, container: str, name: str) -> list[str]:
    """Addresses that busybox's nslookup prints for a name inside a container."""
    done = engine.docker("exec", container, "nslookup", name, check=False)
    lines = done.stdout.replace("127.0.0.11:53", "").splitlines()
    return [line.split()[-1] for line in lines if line.startswith("Address") and "." in line]


def dns_pid(engine: Engine) -> int:
    """The engine's dns process."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
        client.connect(f"{engine.root}/run/dns.sock")
        packed = client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return int(struct.unpack("3i", packed)[0])


def test_a_container_is_found_by_all_its_names(box: Engine) -> None:
    start(box, "app")
    web = start(box, "web", "--network-alias", "www", "--hostname", "host1")
    short = box.docker("inspect", "-f", "{{.Id}}", "web").stdout[:12]
    for name in ("web", "www", short, "host1", "WEB", "web.front"):
        assert look_up(box, "app", name) == [web], name
    assert box.docker("exec", "app", "ping", "-c1", "web").returncode == 0
    assert look_up(box, "app", "nobody") == []


def test_the_resolver_file_names_the_embedded_server(box: Engine) -> None:
    options = ("--dns-search", "example.test", "--dns-option", "timeout:3")
    start(box, "app", *options)
    text = box.docker("exec", "app", "cat", "/etc/resolv.conf").stdout
    assert text.splitlines() == [
        "nameserver 127.0.0.11", "search example.test", "options timeout:3 ndots:0",
    ]  # fmt: skip
    done = box.docker("run", "--rm", "busybox", "cat", "/etc/resolv.conf")
    assert "127.0.0.11" not in done.stdout


def test_an_address_has_a_name(box: Engine) -> None:
    address = start(box, "web")
    done = box.docker("exec", "web", "nslookup", address)
    assert "name = web.front" in done.stdout


def test_networks_are_scopes(box: Engine) -> None:
    start(box, "app")
    start(box, "db", network="back")
    box.docker("run", "-d", "--name", "plain", "busybox", "sleep", "600")
    assert look_up(box, "app", "db") == []
    assert look_up(box, "app", "plain") == []


def test_a_name_without_an_ipv6_address_exists_all_the_same(lan: Lan, box: Engine) -> None:
    start(box, "app")
    start(box, "web")
    inside = lan.inside(box, "app")
    found = inside.run(ask_udp, query_for("web", m.AAAA))
    assert (m.rcode(found), list(m.records(found))) == (m.NOERROR, [])
    assert m.rcode(inside.run(ask_udp, query_for("nobody", m.AAAA))) == m.NXDOMAIN
    assert len(addresses(inside.run(ask_tcp, query_for("web")))) == 1


def test_an_alias_of_several_means_all_that_run(box: Engine) -> None:
    start(box, "app")
    one = start(box, "one", "--network-alias", "web")
    two = start(box, "two", "--network-alias", "web")
    assert sorted(look_up(box, "app", "web")) == sorted([one, two])
    box.docker("stop", "-t0", "one")
    assert look_up(box, "app", "web") == [two]
    box.docker("start", "one")
    assert two in look_up(box, "app", "web") and len(look_up(box, "app", "web")) == 2


def test_a_link_is_a_name_for_one_container(box: Engine) -> None:
    db = start(box, "db")
    start(box, "app", "--link", "db:database")
    start(box, "other")
    assert look_up(box, "app", "database") == [db]
    assert look_up(box, "other", "database") == []


def test_a_renamed_container_has_its_new_name_alone(box: Engine) -> None:
    start(box, "app")
    web = start(box, "web")
    box.docker("rename", "web", "shop")
    assert look_up(box, "app", "shop") == [web]
    assert look_up(box, "app", "web") == []


def test_a_container_may_serve_port_53_itself(lan: Lan, box: Engine) -> None:
    web = start(box, "web")
    start(box, "app")
    inside = lan.inside(box, "app")
    with name_server(inside, "0.0.0.0"):
        assert look_up(box, "app", "web") == [web]
        assert len(addresses(inside.run(ask_tcp, query_for("web")))) == 1
        assert ADDRESS in look_up_at(box, "app", "web", "127.0.0.1")


def look_up_at(engine: Engine, container: str, name: str, server: str) -> str:
    """What nslookup prints when it asks a certain server."""
    return engine.docker("exec", container, "nslookup", name, server, check=False).stdout


def test_other_names_are_forwarded_and_kept(lan: Lan, box: Engine, upstream: NameServer) -> None:
    start(box, "app")
    assert look_up(box, "app", "kept.example") == [ADDRESS]
    asked = upstream.asked.count("kept.example")
    assert addresses(lan.inside(box, "app").run(ask_udp, query_for("kept.example"))) == [ADDRESS]
    assert upstream.asked.count("kept.example") == asked
    assert look_up(box, "app", "no.example") == []


def test_a_large_answer_comes_whole_over_tcp(lan: Lan, box: Engine) -> None:
    start(box, "app")
    inside = lan.inside(box, "app")
    assert m.truncated(inside.run(ask_udp, query_for("big.example")))
    assert len(addresses(inside.run(ask_tcp, query_for("big.example")))) == 60
    assert len(addresses(inside.run(ask_udp, query_for("big.example", size=4096)))) == 60


def test_failures_of_name_servers_are_told(lan: Lan, box: Engine) -> None:
    start(box, "app")
    inside = lan.inside(box, "app")
    for name in ("broken.example", "slow.example"):
        assert m.rcode(inside.run(ask_udp, query_for(name))) == m.SERVFAIL
    web = start(box, "web")
    assert look_up(box, "app", "web") == [web]


def test_names_of_one_label_are_not_forwarded(lan: Lan, box: Engine, upstream: NameServer) -> None:
    start(box, "app", "--dns-search", "example")
    box.docker("exec", "app", "ping", "-c1", "-w1", "secret", check=False)
    assert "secret" not in upstream.asked
    assert "secret.example" in upstream.asked


def test_internal_networks_ask_nobody_outside(lan: Lan, box: Engine, upstream: NameServer) -> None:
    box.docker("network", "create", "--internal", "inner")
    try:
        web = start(box, "web", network="inner")
        start(box, "app", network="inner")
        assert look_up(box, "app", "web") == [web]
        inside = lan.inside(box, "app")
        assert m.rcode(inside.run(ask_udp, query_for("leak.example"))) == m.SERVFAIL
        assert "leak.example" not in upstream.asked
    finally:
        box.docker("rm", "-f", "web", "app")
        box.docker("network", "rm", "inner")


def test_a_containers_own_server_is_asked_from_inside(lan: Lan, box: Engine) -> None:
    start(box, "app", "--dns", "127.0.0.1")
    with name_server(lan.inside(box, "app"), "127.0.0.1", "198.51.100.1") as own:
        assert look_up(box, "app", "own.example") == ["198.51.100.1"]
        assert "own.example" in own.asked
        assert len(addresses(lan.inside(box, "app").run(ask_tcp, query_for("big.example")))) == 60


def test_joining_a_containers_network_is_joining_its_names(box: Engine) -> None:
    web = start(box, "web")
    words = ("run", "--rm", "--network", "container:web", "busybox", "nslookup", "web")
    assert web in box.docker(*words).stdout


class Asking:
    """Asks for a name over and over in a container's namespace, and keeps what went wrong."""

    def __init__(self, namespace: NetworkNamespace, name: str, address: str) -> None:
        self.wrong: list[object] = []
        self.answers = 0
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=namespace.run, args=(self._work, name, address))
        self._thread.start()

    def _work(self, name: str, address: str) -> None:
        while not self._stopped.is_set():
            try:
                found = addresses(ask_udp(query_for(name)))
                if found != [address]:
                    self.wrong.append(found)
            except OSError as error:
                self.wrong.append(error)
            self.answers += 1

    def more(self, count: int) -> None:
        """Waits for so many further answers."""
        goal, deadline = self.answers + count, time.monotonic() + 30
        while self.answers < goal:
            assert time.monotonic() < deadline
            time.sleep(0.001)

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()


def test_names_go_on_while_the_daemon_is_killed_and_comes_again(lan: Lan, box: Engine) -> None:
    web = start(box, "web")
    start(box, "app")
    start(box, "gone")
    pid = int(box.docker("inspect", "-f", "{{.State.Pid}}", "gone").stdout)
    process = dns_pid(box)
    inside = lan.inside(box, "app")
    asking = Asking(lan.inside(box, "app"), "web", web)
    try:
        asking.more(50)
        box.kill()
        asking.more(50)
        os.kill(pid, signal.SIGKILL)
        await_absence(inside, "gone")
        box.start()
        asking.more(50)
        box.stop()
        box.start()
        asking.more(50)
    finally:
        asking.stop()
    assert asking.wrong == []
    assert dns_pid(box) == process
    other = start(box, "other")
    assert look_up(box, "app", "other") == [other]
    assert look_up(box, "app", "gone") == []


def await_absence(inside: NetworkNamespace, name: str) -> None:
    """Returns when a name is gone."""
    deadline = time.monotonic() + 20
    while m.rcode(inside.run(ask_udp, query_for(name))) != m.NXDOMAIN:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_no_name_is_lost_when_the_dns_process_dies(lan: Lan, box: Engine) -> None:
    web = start(box, "web")
    start(box, "app")
    asking = Asking(lan.inside(box, "app"), "web", web)
    try:
        asking.more(50)
        process = dns_pid(box)
        os.kill(process, signal.SIGKILL)
        asking.more(50)
        box.kill()
        os.kill(dns_pid(box), signal.SIGKILL)
        box.start()
        asking.more(50)
    finally:
        asking.stop()
    # Only what had been read and not yet answered is lost: the client asks again.
    assert len(asking.wrong) <= 2
    assert all(isinstance(item, TimeoutError) for item in asking.wrong)
    assert dns_pid(box) != process


def test_the_process_has_no_privileges(box: Engine) -> None:
    start(box, "app")
    status = Path(f"/proc/{dns_pid(box)}/status").read_text()
    fields = dict(line.split(":\t", 1) for line in status.splitlines())
    assert set(fields["Uid"].split()) != {"0"} and "0" not in fields["Uid"].split()
    assert "0" not in fields["Gid"].split()
    assert int(fields["CapEff"], 16) == int(fields["CapPrm"], 16) == 0
    assert fields["NoNewPrivs"] == "1"


def test_nothing_of_it_stays_when_the_engine_ends(lan: Lan, engine_ready: None) -> None:
    with running(lan) as engine:
        engine.docker("network", "create", "short")
        start(engine, "app", network="short")
        process = dns_pid(engine)
        engine.docker("rm", "-f", "app")
        engine.docker("network", "rm", "short")
    assert not Path(f"/proc/{process}").exists()


def test_ports_of_the_server_are_not_what_a_container_sees_as_taken(lan: Lan, box: Engine) -> None:
    start(box, "app")
    inside = lan.inside(box, "app")
    for kind in (1, 2):
        inside.run(listen, "0.0.0.0", 53, kind).close()


def test_joining_and_leaving_networks_changes_what_is_answered_at_once(
    lan: Lan, box: Engine
) -> None:
    start(box, "app")
    start(box, "db", network="back")
    inside = lan.inside(box, "app")
    assert m.rcode(inside.run(ask_udp, query_for("db"))) == m.NXDOMAIN
    box.docker("network", "connect", "--alias", "storage", "front", "db")
    for name in ("db", "storage"):
        assert len(addresses(inside.run(ask_udp, query_for(name)))) == 1, name
    box.docker("network", "disconnect", "front", "db")
    for name in ("db", "storage"):
        assert m.rcode(inside.run(ask_udp, query_for(name))) == m.NXDOMAIN, name
    assert look_up(box, "db", "db") != []


def test_a_container_of_the_default_bridge_gets_names_when_it_joins_a_network(box: Engine) -> None:
    web = start(box, "web")
    box.docker("run", "-d", "--name", "app", "busybox", "sleep", "600")
    before = box.docker("exec", "app", "cat", "/etc/resolv.conf").stdout
    box.docker("network", "connect", "front", "app")
    assert "nameserver 127.0.0.11\n" in box.docker("exec", "app", "cat", "/etc/resolv.conf").stdout
    assert look_up(box, "app", "web") == [web]
    box.docker("network", "disconnect", "front", "app")
    assert box.docker("exec", "app", "cat", "/etc/resolv.conf").stdout == before
    box.docker("network", "connect", "front", "app")
    assert look_up(box, "app", "web") == [web]


def test_a_resolver_file_that_was_changed_inside_stays(box: Engine) -> None:
    box.docker("run", "-d", "--name", "app", "busybox", "sleep", "600")
    box.docker("exec", "app", "sh", "-c", "echo nameserver 192.0.2.53 > /etc/resolv.conf")
    box.docker("network", "connect", "front", "app")
    text = box.docker("exec", "app", "cat", "/etc/resolv.conf").stdout
    assert text == "nameserver 192.0.2.53\n"


def test_ipv6_addresses_are_answered_and_have_names(box: Engine) -> None:
    box.docker("network", "create", "--ipv6", "--subnet", "fd00:1::/64", "six")
    try:
        start(box, "web", network="six")
        start(box, "app", network="six")
        template = "{{.NetworkSettings.Networks.six.GlobalIPv6Address}}"
        address = box.docker("inspect", "-f", template, "web").stdout.strip()
        assert address in box.docker("exec", "app", "nslookup", "-type=aaaa", "web").stdout
        assert "web.six" in box.docker("exec", "app", "nslookup", address).stdout
    finally:
        box.docker("rm", "-f", "web", "app")
        box.docker("network", "rm", "six")


def test_a_container_in_a_user_namespace_is_answered_too(lan: Lan, box: Engine) -> None:
    web = start(box, "web")
    words = ("run", "--rm", "--userns", "auto", "--network", "front", "busybox", "nslookup")
    done = subprocess.run(
        [sys.executable, str(WHERRY), "-H", f"unix://{box.socket}", *words, "web"],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert web in done.stdout, done.stderr


def test_changed_options_of_the_daemon_hold_for_running_containers(
    lan: Lan, engine_ready: None
) -> None:
    elsewhere = "192.0.2.10"
    lan.outside.run(add_address, "eth0", f"{elsewhere}/24")
    with running(lan) as engine, name_server(lan.outside, elsewhere, "198.51.100.9"):
        engine.docker("network", "create", "reloaded")
        start(engine, "app", network="reloaded")
        (engine.root / "daemon.json").write_text(f'{{"dns": ["{elsewhere}"]}}')
        engine.send_signal(signal.SIGHUP)
        engine.wait_for_log("reloaded the configuration: changed dns")
        deadline = time.monotonic() + 30
        while look_up(engine, "app", "other.example") != ["198.51.100.9"]:
            assert time.monotonic() < deadline


def add_address(link: str, address: str) -> None:
    with Netlink() as netlink:
        netlink.add_address(link_index(link), address)


def test_a_container_that_sends_rubbish_harms_no_other(lan: Lan, box: Engine) -> None:
    web = start(box, "web")
    start(box, "app")
    start(box, "evil")
    process = dns_pid(box)
    before = len(list(Path(f"/proc/{process}/fd").iterdir()))
    asking = Asking(lan.inside(box, "app"), "web", web)
    try:
        lan.inside(box, "evil").run(send_rubbish, 20_000)
        asking.more(50)
    finally:
        asking.stop()
    assert asking.wrong == []
    assert dns_pid(box) == process
    deadline = time.monotonic() + 30
    while len(list(Path(f"/proc/{process}/fd").iterdir())) > before:  # what is forwarded times out
        assert time.monotonic() < deadline
        time.sleep(0.05)


def send_rubbish(count: int) -> None:
    """Broken questions over UDP and TCP, from the caller's namespace, waiting for no answer."""
    chance = random.Random(1)
    asked = [query_for("web"), query_for("a.example", size=4096), query_for("slow.example")]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.connect(("127.0.0.11", 53))
        client.setblocking(False)
        for _ in range(count):
            data = bytearray(chance.choice(asked))
            for _ in range(chance.randrange(5)):
                data[chance.randrange(len(data))] = chance.randrange(256)
            with contextlib.suppress(OSError):
                client.send(data[: chance.randrange(1, len(data) + 1)])
    for _ in range(100):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.11", 53)) as stream:
            stream.sendall(chance.randbytes(chance.randrange(1, 300)))
