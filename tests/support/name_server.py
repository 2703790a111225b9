"""A name server for tests: in a thread, in a network namespace, with a temper by name."""

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator

from tests.support.netns import NetworkNamespace
from wherry.network.dns import message as m

ADDRESS = "203.0.113.7"
"""What every name that exists is answered with."""


class NameServer:
    """Answers A for every name, but: `big.` needs TCP, `slow.` none, `broken.` and `no.` say so."""

    def __init__(self, udp: socket.socket, tcp: socket.socket, address: str = ADDRESS) -> None:
        self.asked: list[str] = []
        self.address = address
        self._sockets = (udp, tcp)
        self._stopped = threading.Event()
        self._threads = [
            threading.Thread(target=work) for work in (self._serve_udp, self._serve_tcp)
        ]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join()
        for item in self._sockets:
            item.close()

    def _serve_udp(self) -> None:
        connection, _ = self._sockets
        while not self._stopped.is_set():
            with contextlib.suppress(TimeoutError):
                data, peer = connection.recvfrom(4096)
                found = self._answer(data)
                if found is not None:
                    query = m.parse_query(data)
                    connection.sendto(m.fit(query, found, 512), peer)

    def _serve_tcp(self) -> None:
        _, listener = self._sockets
        while not self._stopped.is_set():
            with contextlib.suppress(TimeoutError):
                connection, _ = listener.accept()
                with connection:
                    connection.settimeout(5)
                    found = self._answer(connection.recv(4096)[2:])
                    if found is not None:
                        connection.sendall(struct.pack("!H", len(found)) + found)

    def _answer(self, data: bytes) -> bytes | None:
        query = m.parse_query(data)
        self.asked.append(b".".join(query.labels).decode(errors="replace"))
        temper = query.labels[0] if query.labels else b""
        if temper == b"slow":
            return None
        if temper == b"broken":
            return m.reply(query, m.SERVFAIL)
        if temper == b"no":
            return m.reply(query, m.NXDOMAIN)
        count = 60 if temper == b"big" else 1
        records = [m.address_record(self.address)] * count if query.type == m.A else []
        return m.reply(query, m.NOERROR, records, 60)


@contextlib.contextmanager
def name_server(
    namespace: NetworkNamespace, host: str, address: str = ADDRESS
) -> Iterator[NameServer]:
    """A server at an address of the namespace, on port 53."""
    server = NameServer(*namespace.run(_bind, host), address)
    try:
        yield server
    finally:
        server.close()


def _bind(host: str) -> tuple[socket.socket, socket.socket]:
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    for item in (udp, tcp):
        item.bind((host, 53))
        item.settimeout(0.1)
    tcp.listen()
    return udp, tcp


def query_for(name: str, kind: int = m.A, *, size: int = 0) -> bytes:
    """A question in wire form; with `size` it has EDNS."""
    data = struct.pack("!HHHHHH", 7, m.RD, 1, 0, 0, 1 if size else 0)
    data += m.encode_name(name) + struct.pack("!HH", kind, m.IN)
    return data + (b"\0" + struct.pack("!HHIH", m.OPT, size, 0, 0) if size else b"")


def ask_udp(data: bytes, wait: float = 8.0) -> bytes:
    """The answer of the embedded server, from the caller's namespace."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(wait)
        client.connect(("127.0.0.11", 53))
        client.send(data)
        return client.recv(65535)


def ask_tcp(data: bytes, wait: float = 8.0) -> bytes:
    """As `ask_udp`, over TCP."""
    with socket.create_connection(("127.0.0.11", 53), wait) as client:
        client.sendall(struct.pack("!H", len(data)) + data)
        with client.makefile("rb") as file:
            (length,) = struct.unpack("!H", file.read(2))
            return file.read(length)


def addresses(data: bytes) -> list[str]:
    """The addresses in an answer."""
    return [
        socket.inet_ntoa(data[item.data_at : item.data_at + 4])
        for item in m.records(data)
        if item.type == m.A
    ]
