"""Name servers are raced, shared, remembered and survived; they are fakes on loopback."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from typing import Any, cast

from tests.unit.network.dns.test_cache import absence
from tests.unit.network.dns.test_message import ask
from wherry.network.dns import message as m
from wherry.network.dns.forwarder import Forwarder, Timing
from wherry.network.dns.upstream import Upstream, open_here

QUICK = Timing(next_server=0.05, again=0.2, end=0.6, ill=60)
SLOW = Timing(next_server=10, again=20, end=30, ill=60)
"""Nothing is asked twice or elsewhere by the clock."""

Reaction = Callable[[m.Query], Awaitable[bytes | None]]


async def address(query: m.Query) -> bytes | None:
    return m.reply(query, m.NOERROR, [m.address_record("192.0.2.1")], 30)


async def other_address(query: m.Query) -> bytes | None:
    return m.reply(query, m.NOERROR, [m.address_record("192.0.2.2")], 30)


async def silence(query: m.Query) -> bytes | None:
    return None


async def refusal(query: m.Query) -> bytes | None:
    return m.reply(query, m.REFUSED)


async def breakdown(query: m.Query) -> bytes | None:
    return m.reply(query, m.SERVFAIL)


async def large(query: m.Query) -> bytes | None:
    return m.reply(query, m.NOERROR, [m.address_record("192.0.2.1")] * 60, 30)


class FakeServer(asyncio.DatagramProtocol):
    """A name server on a loopback port, over UDP and TCP; counts what it was asked."""

    def __init__(self, reaction: Reaction) -> None:
        self.reaction = reaction
        self.asked = 0
        self.was_asked = asyncio.Event()
        self.over_tcp = 0
        self.ports: set[int] = set()
        self.ids: set[int] = set()
        self.upstream = Upstream("127.0.0.1")
        self._tasks: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.asked += 1
        self.was_asked.set()
        self.ports.add(addr[1])
        self.ids.add(m.parse_query(data).id)
        task = asyncio.get_running_loop().create_task(self._answer(data, addr))
        self._tasks.add(task)

    async def _answer(self, data: bytes, addr: Any) -> None:
        query = m.parse_query(data)
        found = await self.reaction(query)
        if found is not None:
            self._transport.sendto(m.fit(query, found, query.udp_limit), addr)

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.over_tcp += 1
        (length,) = struct.unpack("!H", await reader.readexactly(2))
        found = await self.reaction(m.parse_query(await reader.readexactly(length)))
        if found is not None:
            writer.write(struct.pack("!H", len(found)) + found)
        writer.close()
        await writer.wait_closed()


@contextlib.asynccontextmanager
async def serving(*reactions: Reaction) -> AsyncIterator[list[FakeServer]]:
    servers = [FakeServer(reaction) for reaction in reactions]
    async with contextlib.AsyncExitStack() as stack:
        for server in servers:
            tcp = await asyncio.start_server(server.converse, "127.0.0.1", 0)
            port = tcp.sockets[0].getsockname()[1]
            stack.callback(tcp.close)
            transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
                lambda server=server: server,  # type: ignore[misc]
                local_addr=("127.0.0.1", port),
            )
            stack.callback(transport.close)
            server.upstream = Upstream("127.0.0.1", port)
        yield servers


async def resolve(
    forwarder: Forwarder, servers: list[FakeServer], data: bytes = b""
) -> bytes:  # fmt: skip
    data = data or ask("web.example", size=512)
    query = m.parse_query(data)
    upstreams = [server.upstream for server in servers]
    return forwarder.cached(query, upstreams) or await forwarder.resolve(query, data, upstreams)


def addresses(data: bytes) -> list[str]:
    return [
        socket.inet_ntoa(data[item.data_at : item.data_at + 4])
        for item in m.records(data)
        if item.type == m.A
    ]


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


def test_the_first_server_is_asked_alone_and_its_answer_is_kept() -> None:
    async def work() -> None:
        async with serving(address, address) as servers:
            forwarder = Forwarder(open_here, timing=SLOW)
            for data in (ask("web.example"), ask("WEB.example")):
                found = await resolve(forwarder, servers, data)
                assert m.answers(m.parse_query(data), found)
                assert m.parse_query(data).question in found
            assert [server.asked for server in servers] == [1, 0]
            assert forwarder.counts == {"forwarded": 1, "cached": 1}

    run(work())


def test_an_absence_is_an_answer_and_is_kept_too() -> None:
    async def nothing(query: m.Query) -> bytes | None:
        return m.with_id(absence(30, 30), query.id)

    async def work() -> None:
        async with serving(nothing, address) as servers:
            forwarder = Forwarder(open_here, timing=SLOW)
            for _ in range(2):
                assert m.rcode(await resolve(forwarder, servers, ask("web.example"))) == m.NXDOMAIN
            assert [server.asked for server in servers] == [1, 0]

    run(work())


def test_a_silent_server_is_overtaken_and_asked_last_from_then_on() -> None:
    async def work() -> None:
        async with serving(silence, address) as servers:
            forwarder = Forwarder(open_here, timing=QUICK)
            assert addresses(await resolve(forwarder, servers)) == ["192.0.2.1"]
            await resolve(forwarder, servers, ask("other.example"))
            assert [server.asked for server in servers] == [1, 2]

    run(work())


def test_the_next_server_is_asked_at_once_when_one_cannot_be_reached_or_says_no() -> None:
    async def work() -> None:
        async with serving(refusal, breakdown, address) as servers:
            forwarder = Forwarder(open_here, timing=SLOW)
            assert addresses(await resolve(forwarder, servers)) == ["192.0.2.1"]
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as unused:
                unused.bind(("127.0.0.1", 0))
                nobody = FakeServer(silence)
                nobody.upstream = Upstream("127.0.0.1", unused.getsockname()[1])
            forwarder = Forwarder(open_here, timing=SLOW)
            assert addresses(await resolve(forwarder, [nobody, servers[2]])) == ["192.0.2.1"]

    run(work())


def test_servfail_when_all_fail_and_nothing_of_it_is_kept() -> None:
    async def work() -> None:
        async with serving(breakdown) as servers:
            forwarder = Forwarder(open_here, timing=SLOW)
            for _ in range(2):
                assert m.rcode(await resolve(forwarder, servers)) == m.SERVFAIL
            assert servers[0].asked == 2
        async with serving(silence, silence) as servers:
            forwarder = Forwarder(open_here, timing=QUICK)
            assert m.rcode(await resolve(forwarder, servers)) == m.SERVFAIL
            assert [server.asked for server in servers] == [2, 2]
            assert m.rcode(await resolve(forwarder, [])) == m.SERVFAIL

    run(work())


def test_what_udp_cannot_carry_comes_over_tcp_whole() -> None:
    async def work() -> None:
        async with serving(large) as servers:
            forwarder = Forwarder(open_here, timing=SLOW)
            found = await resolve(forwarder, servers, ask("web.example"))
            assert len(addresses(found)) == 60
            assert (servers[0].asked, servers[0].over_tcp) == (1, 1)

    run(work())


def test_the_same_question_of_many_is_asked_once() -> None:
    async def work() -> None:
        release = asyncio.Event()

        async def late(query: m.Query) -> bytes | None:
            await release.wait()
            return await address(query)

        async with serving(late) as servers:
            forwarder = Forwarder(open_here, timing=SLOW)
            asking = [
                asyncio.create_task(resolve(forwarder, servers, m.with_id(ask("web.example"), n)))
                for n in range(20)
            ]
            await servers[0].was_asked.wait()
            asking[0].cancel()  # one client that goes away takes nothing from the others
            release.set()
            found = await asyncio.gather(*asking[1:])
            assert [item[:2] for item in found] == [struct.pack("!H", n) for n in range(1, 20)]
            assert servers[0].asked == 1

    run(work())


def test_forged_answers_are_passed_over() -> None:
    async def work() -> None:
        async with serving(silence) as servers:
            server = servers[0]

            async def forged(query: m.Query) -> bytes | None:
                true = await address(query)
                assert true is not None
                other = m.parse_query(m.with_id(ask("evil.example"), query.id))
                for wrong in (
                    m.with_id(true, query.id ^ 1), await other_address(other) or b"", b"", b"\0",
                    true[:-1],
                ):  # fmt: skip
                    for port in server.ports:
                        server._transport.sendto(wrong, ("127.0.0.1", port))
                return true

            server.reaction = forged
            forwarder = Forwarder(open_here, timing=SLOW)
            assert addresses(await resolve(forwarder, servers)) == ["192.0.2.1"]

    run(work())


def test_each_question_has_a_port_and_an_id_of_its_own() -> None:
    async def work() -> None:
        async with serving(breakdown) as servers:
            forwarder = Forwarder(open_here, timing=SLOW)
            for _ in range(20):
                await resolve(forwarder, servers)
            assert len(servers[0].ports) > 10
            assert len(servers[0].ids) > 10

    run(work())


def test_answers_for_one_client_alone_are_not_kept() -> None:
    async def work() -> None:
        async with serving(address) as servers:
            forwarder = Forwarder(open_here, timing=SLOW)
            for _ in range(2):
                await resolve(forwarder, servers, ask("web.example", size=1232, options=4))
            assert servers[0].asked == 2

    run(work())
