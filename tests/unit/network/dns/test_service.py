"""One container's sockets: what it may send, how much of it, and what it gets."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator, Iterator

from tests.unit.network.dns.test_forwarder import FakeServer, address, run, serving, silence
from tests.unit.network.dns.test_message import ask
from wherry.network.dns import message as m
from wherry.network.dns import service as dns_service
from wherry.network.dns.answerer import Answerer
from wherry.network.dns.forwarder import Forwarder
from wherry.network.dns.messages import Member, Place
from wherry.network.dns.namespaces import Namespace
from wherry.network.dns.service import Service
from wherry.network.dns.upstream import Upstream, open_here
from wherry.network.dns.zones import Zones


class ForwardingTo(Answerer):
    """An answerer whose name servers are the fakes'."""

    def __init__(self, zones: Zones, servers: list[FakeServer]) -> None:
        super().__init__(zones, Forwarder(open_here), tuple)
        self._servers = servers

    def upstreams(self, member: Member, namespace: Namespace) -> tuple[Upstream, ...]:
        return tuple(server.upstream for server in self._servers)


@contextlib.asynccontextmanager
async def service(servers: list[FakeServer]) -> AsyncIterator[tuple[Service, int]]:
    """A service of `app`, which knows `web`; its port."""
    zones = Zones()
    zones.set(Member("web", "1:1", (Place("n", "front", ("web",), ("10.0.0.2",)),)))
    zones.set(Member("app", "1:1", (Place("n", "front", ("app",), ("10.0.0.3",)),)))
    tcp = socket.create_server(("127.0.0.1", 0))
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(tcp.getsockname())
    made = Service("app", "1:1", ForwardingTo(zones, servers), udp, tcp, Namespace(-1))
    await made.start()
    try:
        yield made, tcp.getsockname()[1]
    finally:
        made.close()
        made.close()


@contextlib.contextmanager
def client(port: int) -> Iterator[socket.socket]:
    connection = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    connection.setblocking(False)
    connection.connect(("127.0.0.1", port))
    with connection:
        yield connection


def test_hostile_datagrams_cost_nothing_but_themselves() -> None:
    async def work() -> None:
        loop = asyncio.get_running_loop()
        async with serving(silence) as servers, service(servers) as (_, port):
            with client(port) as connection:
                for data in (
                    b"",
                    b"x",
                    b"\0" * 11,
                    b"\xff" * 512,
                    ask("web")[:-1],
                    ask("a.b")[:20],
                ):
                    await loop.sock_sendall(connection, data)
                question = m.with_id(ask("web"), 99)
                await loop.sock_sendall(connection, question)
                found = b""
                while not m.answers(m.parse_query(question), found):
                    found = await loop.sock_recv(connection, 4096)
                assert m.rcode(found) == m.NOERROR

    run(work())


def test_more_questions_than_one_container_may_have_open_are_refused() -> None:
    async def work() -> None:
        loop = asyncio.get_running_loop()
        async with serving(silence) as servers, service(servers) as (_, port):
            with client(port) as connection:
                for number in range(dns_service.OPEN_QUESTIONS + 1):
                    await loop.sock_sendall(connection, ask(f"n{number}.example"))
                assert m.rcode(await loop.sock_recv(connection, 4096)) == m.SERVFAIL
                await loop.sock_sendall(connection, ask("web"))
                assert m.rcode(await loop.sock_recv(connection, 4096)) == m.NOERROR

    run(work())


def test_questions_of_one_connection_are_answered_in_turn() -> None:
    async def work() -> None:
        async with serving(address) as servers, service(servers) as (_, port):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            for name in ("web", "far.example"):
                writer.write(struct.pack("!H", len(ask(name))) + ask(name))
            for name in ("web", "far.example"):
                (length,) = struct.unpack("!H", await reader.readexactly(2))
                assert m.answers(m.parse_query(ask(name)), await reader.readexactly(length))
            writer.write(b"\0\5junk.")
            assert await reader.read() == b""
            writer.close()
            await writer.wait_closed()

    run(work())


def test_connections_are_bounded_and_end_with_the_service() -> None:
    async def work() -> None:
        async with serving(silence) as servers, service(servers) as (made, port):
            opened = [
                await asyncio.open_connection("127.0.0.1", port)
                for _ in range(dns_service.CONNECTIONS + 1)
            ]
            assert await opened[-1][0].read() == b""
            made.close()
            for reader, _ in opened:
                assert await reader.read() == b""
            for _, writer in opened:
                writer.close()
                await writer.wait_closed()

    run(work())
