"""One container's sockets: its questions over UDP and TCP, within bounds."""

import asyncio
import contextlib
import logging
import socket
import struct
from collections.abc import Coroutine
from typing import Any

from wherry.network.dns import message as m
from wherry.network.dns.answerer import Answerer
from wherry.network.dns.namespaces import Namespace

_log = logging.getLogger("wherry.dns")

OPEN_QUESTIONS = 100
"""Forwarded questions of one container at a time; more are answered SERVFAIL."""

CONNECTIONS = 64
"""TCP connections of one container at a time; more are closed."""

_IDLE_SECONDS = 10.0
_LENGTH = struct.Struct("!H")


class Service:
    """Serves one run of a container until it is closed."""

    def __init__(
        self, member: str, incarnation: str, answerer: Answerer, udp: socket.socket,
        tcp: socket.socket, namespace: Namespace,
    ) -> None:  # fmt: skip
        self.member = member
        self.incarnation = incarnation
        self._answerer = answerer
        self._namespace = namespace
        self._udp, self._tcp = udp, tcp
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False
        self._questions = 0
        self._connections = 0
        self._server: asyncio.Server | None = None
        self._transport: asyncio.DatagramTransport | None = None

    async def start(self) -> None:
        """Begins to answer; what was asked before waits in the sockets."""
        for item in (self._udp, self._tcp):
            item.setblocking(False)
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(
            lambda: _Datagrams(self), sock=self._udp
        )
        self._server = await asyncio.start_server(self._connected, sock=self._tcp)
        if self._closed:
            self.close()

    def close(self) -> None:
        """Ends everything of this container; repeating it is harmless."""
        self._closed = True
        if self._transport:
            self._transport.close()
        if self._server:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        self._namespace.close()

    def datagram(self, data: bytes, sender: Any) -> None:
        """A question over UDP."""
        found = self._answerer.at_once(self.member, data, self._namespace)
        if isinstance(found, m.Query):
            self._spawn(self._forward(found, data, sender))
        elif found is not None:
            self._send(found, data, sender)

    async def _forward(self, query: m.Query, data: bytes, sender: Any) -> None:
        self._send(await self._resolve(query, data), data, sender)

    def _send(self, answer: bytes, data: bytes, sender: Any) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        if len(answer) > m.PLAIN_SIZE:
            query = m.parse_query(data)
            answer = m.fit(query, answer, query.udp_limit)
        self._transport.sendto(answer, sender)

    async def _resolve(self, query: m.Query, data: bytes) -> bytes:
        if self._questions >= OPEN_QUESTIONS:
            _log.debug("container %s asks too much at a time", self.member[:12])
            return m.reply(query, m.SERVFAIL)
        self._questions += 1
        try:
            return await self._answerer.later(self.member, query, data, self._namespace)
        finally:
            self._questions -= 1

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._connections >= CONNECTIONS:
            writer.close()
            return
        self._connections += 1
        task = asyncio.current_task()
        if task:
            self._tasks.add(task)
        try:
            with contextlib.suppress(OSError, EOFError):  # also what asyncio raises at its bounds
                await self._converse(reader, writer)
        finally:
            self._connections -= 1
            self._tasks.discard(task)
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Questions of one connection in turn (RFC 7766), until it is idle or closed."""
        while True:
            async with asyncio.timeout(_IDLE_SECONDS):
                (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
                data = await reader.readexactly(length)
            found = self._answerer.at_once(self.member, data, self._namespace)
            if isinstance(found, m.Query):
                found = await self._resolve(found, data)
            if found is None:
                return
            writer.write(_LENGTH.pack(len(found)) + found)
            async with asyncio.timeout(_IDLE_SECONDS):
                await writer.drain()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class _Datagrams(asyncio.DatagramProtocol):
    """Hands datagrams to the service; errors of senders that went away are nobody's."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self._service.datagram(data, addr)

    def error_received(self, exc: Exception) -> None:
        _log.debug("container %s: %s", self._service.member[:12], exc)
