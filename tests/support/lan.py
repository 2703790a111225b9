"""A small world for networks: a machine with engines on it, and a client on the same wire.

The machine is a network namespace, so that tests never touch the rules and links of the real one;
its address is HOST, the client's OUTSIDE. Servers answer every client with its own address.
"""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator

from tests.support.engine import Engine
from tests.support.netns import NetworkNamespace, configure, connect
from wherry.linux.netlink.route import Netlink
from wherry.linux.nftables import Nftables
from wherry.model.interface import Interface

HOST, OUTSIDE = "192.0.2.1", "192.0.2.9"
HOST6, OUTSIDE6 = "2001:db8::1", "2001:db8::9"

TCP, UDP = socket.SOCK_STREAM, socket.SOCK_DGRAM


class Lan:
    """The machine's namespace, the client's, and the servers in them."""

    def __init__(self) -> None:
        self.host = NetworkNamespace()
        self.outside = NetworkNamespace()
        self._opened: list[NetworkNamespace] = [self.host, self.outside]
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        connect(self.host, self.outside, "up0", "eth0")
        self.host.run(configure, Interface(name="up0", addresses=(f"{HOST}/24", f"{HOST6}/64")))
        self.outside.run(
            configure, Interface(name="eth0", addresses=(f"{OUTSIDE}/24", f"{OUTSIDE6}/64"))
        )

    def __enter__(self) -> "Lan":
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        for namespace in self._opened:
            namespace.close()

    def inside(self, engine: Engine, container: str) -> NetworkNamespace:
        """The network namespace of a running container."""
        pid = engine.docker("inspect", "-f", "{{.State.Pid}}", container).stdout
        self._opened.append(NetworkNamespace(pid=int(pid)))
        return self._opened[-1]

    def serve(
        self, namespace: NetworkNamespace, port: int, kind: int = TCP, address: str = "0.0.0.0"
    ) -> None:
        """Starts a server in a namespace; it ends with the world."""
        server = namespace.run(listen, address, port, kind)
        self._threads.append(threading.Thread(target=self._answer, args=(server, kind)))
        self._threads[-1].start()

    def _answer(self, server: socket.socket, kind: int) -> None:
        with server:
            while not self._stop.is_set():
                try:
                    if kind == UDP:
                        _, peer = server.recvfrom(100)
                        server.sendto(peer[0].encode(), peer)
                    else:
                        connection, peer = server.accept()
                        with connection:
                            connection.sendall(peer[0].encode())
                except TimeoutError:
                    continue


def listen(address: str, port: int, kind: int) -> socket.socket:
    """A socket bound in the caller's namespace, with a short time-out."""
    server = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, kind)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind((address, port))
    if kind == TCP:
        server.listen()
    server.settimeout(0.1)
    return server


def ask(address: str, port: int, kind: int = TCP, wait: float = 1.0) -> str:
    """The answer of a server, or the name of the failure."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, kind) as client:
        client.settimeout(wait)
        try:
            client.connect((address, port))
            if kind == UDP:
                client.send(b"?")
            return client.recv(100).decode()
        except OSError as error:
            return type(error).__name__


def again(check: Callable[[], bool]) -> None:
    """Waits until it is so."""
    deadline = time.monotonic() + 30
    while not check():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def links() -> dict[str, str]:
    """Links of the caller's namespace and their kinds, without those that every one has."""
    with Netlink() as netlink:
        return {
            link.name: link.kind
            for link in netlink.links()
            if link.name != "lo" and link.kind not in ("ifb", "sit", "ip6tnl", "gre")
        }


def tables() -> list[str]:
    """Names of the nftables tables of the caller's namespace."""
    return sorted(str(entry["table"]["name"]) for entry in nft("list tables"))


def nft(command: str) -> list[dict[str, dict[str, object]]]:
    """What nft answers in the caller's namespace."""
    with contextlib.closing(Nftables()) as nftables:
        return nftables.query(command)


@contextlib.contextmanager
def running(lan: Lan, *options: str) -> Iterator[Engine]:
    """An engine on the machine, with an image; at its end nothing of it is left there."""
    before = lan.host.run(links), lan.host.run(tables)
    with Engine(*options, namespace=lan.host) as engine:
        engine.import_busybox()
        yield engine
        networks = engine.docker("network", "ls", "-q", "--filter", "type=custom").stdout.split()
        left = engine.docker("ps", "-aq").stdout.split()
        if left:
            engine.docker("rm", "-f", *left)
        if networks:
            engine.docker("network", "rm", *networks)
    assert (lan.host.run(links), lan.host.run(tables)) == before
