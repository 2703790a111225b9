"""The proxy process by itself: listeners come and go, connections and datagrams pass."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.lan import again
from wherry.network.errors import PortUnavailable
from wherry.network.proxy_client import Forward, Proxy

SCRIPT = """
import sys
from wherry.network.proxy import proxy_task
proxy_task(sys.argv[1].encode(), [], lambda data: (sys.stdout.buffer.write(data + b"\\n"),
                                                   sys.stdout.flush()))
"""


class Launcher:
    """Starts proxies as processes of the test."""

    def __init__(self) -> None:
        self.processes: list[subprocess.Popen[bytes]] = []

    def __call__(self, directory: Path) -> None:
        process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, str(directory)], stdout=subprocess.PIPE
        )
        self.processes.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"


@pytest.fixture
def launcher() -> Iterator[Launcher]:
    made = Launcher()
    yield made
    for process in made.processes:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


@pytest.fixture
def proxy(tmp_path: Path, launcher: Launcher) -> Iterator[Proxy]:
    made = Proxy(tmp_path, launcher)
    yield made
    made.close()


def server(kind: socket.SocketKind = socket.SOCK_STREAM) -> socket.socket:
    found = socket.socket(socket.AF_INET, kind)
    found.bind(("127.0.0.1", 0))
    found.settimeout(10)
    if kind == socket.SOCK_STREAM:
        found.listen()
    return found


def free_port() -> int:
    with server() as probe:
        return int(probe.getsockname()[1])


def test_a_connection_passes_and_each_side_may_end_first(proxy: Proxy) -> None:
    with server() as behind:
        port = free_port()
        proxy.add([Forward("tcp", "::1", port, "127.0.0.1", behind.getsockname()[1])])
        with socket.create_connection(("::1", port), timeout=10) as client:
            peer, _ = behind.accept()
            with peer:
                peer.settimeout(10)
                client.sendall(b"question")
                client.shutdown(socket.SHUT_WR)
                assert peer.recv(100) == b"question"
                assert peer.recv(100) == b""
                peer.sendall(b"answer")
            assert client.recv(100) == b"answer"
            assert client.recv(100) == b""


def test_a_container_that_does_not_listen_resets_its_clients(proxy: Proxy) -> None:
    port = free_port()
    proxy.add([Forward("tcp", "127.0.0.1", port, "127.0.0.1", free_port())])
    with (
        pytest.raises(ConnectionResetError),
        socket.create_connection(("127.0.0.1", port), timeout=10) as client,
    ):
        client.recv(1)


def test_datagrams_of_two_clients_are_kept_apart(proxy: Proxy) -> None:
    with server(socket.SOCK_DGRAM) as behind:
        port = free_port()
        proxy.add([Forward("udp", "::1", port, "127.0.0.1", behind.getsockname()[1])])
        clients = [socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) for _ in range(2)]
        for number, client in enumerate(clients):
            client.settimeout(10)
            client.connect(("::1", port))
            client.send(b"from %d" % number)
        for _ in clients:
            data, peer = behind.recvfrom(100)
            behind.sendto(data.replace(b"from", b"to"), peer)
        assert [client.recv(100) for client in clients] == [b"to 0", b"to 1"]
        for client in clients:
            client.close()


def test_a_port_in_use_refuses_the_whole_order(proxy: Proxy) -> None:
    with server() as taken:
        first, busy = free_port(), taken.getsockname()[1]
        forwards = [Forward("tcp", "127.0.0.1", port, "127.0.0.1", 9) for port in (first, busy)]
        with pytest.raises(PortUnavailable, match=f"127.0.0.1:{busy}/tcp: address already in use"):
            proxy.add(forwards)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", first), timeout=10).close()


def test_it_ends_with_its_last_port_and_starts_with_the_next(
    proxy: Proxy, launcher: Launcher
) -> None:
    forward = Forward("tcp", "127.0.0.1", free_port(), "127.0.0.1", 9)
    for round_ in (1, 2):
        proxy.add([forward])
        proxy.remove([forward])
        assert launcher.processes[-1].wait(10) == 0
        assert len(launcher.processes) == round_


def test_another_daemon_finds_it_and_says_what_should_be_there(
    tmp_path: Path, launcher: Launcher
) -> None:
    kept, gone, new = (Forward("tcp", "127.0.0.1", free_port(), "127.0.0.1", 9) for _ in range(3))
    first = Proxy(tmp_path, launcher)
    first.add([kept, gone])
    first.close()
    second = Proxy(tmp_path, launcher)
    second.restore([kept, new])
    for forward, there in ((kept, True), (new, True), (gone, False)):
        with socket.socket() as client:
            client.settimeout(10)
            assert (client.connect_ex(("127.0.0.1", forward.host_port)) == 0) is there
    assert len(launcher.processes) == 1
    second.restore([])
    assert launcher.processes[0].wait(10) == 0


def test_thousands_of_ports_are_descriptors_of_one_process(
    proxy: Proxy, launcher: Launcher
) -> None:
    ports = [Forward("tcp", "127.0.0.2", port, "127.0.0.1", 9) for port in range(30000, 32000)]
    proxy.add(ports)
    process = launcher.processes[-1].pid
    assert len(os.listdir(f"/proc/{process}/fd")) > 2000
    proxy.remove(ports[:-1])
    again(lambda: len(os.listdir(f"/proc/{process}/fd")) < 30)


def test_one_that_died_is_started_again_with_all_its_ports(
    proxy: Proxy, launcher: Launcher
) -> None:
    with server() as behind:
        forward = Forward("tcp", "127.0.0.1", free_port(), "127.0.0.1", behind.getsockname()[1])
        proxy.add([forward])
        launcher.processes[-1].kill()
        launcher.processes[-1].wait()
        proxy.revive()
        with socket.create_connection(("127.0.0.1", forward.host_port), timeout=10):
            behind.accept()[0].close()
    assert len(launcher.processes) == 2
