"""The gate before the HTTP server: lets a request take its connection over without losing a byte.

aiohttp reads on past the head of an upgrade that it does not know and drops what it read. So the
gate stays the transport's protocol. It follows requests far enough to know where one ends; of a
request that may be hijacked it passes exactly head and body, stops reading, and keeps the rest.
"""

import asyncio
import os
import socket
from collections.abc import Callable

_HEAD_LIMIT = 1 << 18
_PREAMBLE_LIMIT = 64 * 1024
_HOP_HEADERS = (b"upgrade:", b"connection:")

Holds = Callable[[bytes, bytes], bool]
"""Whether a request (method, path) may take its connection over without an Upgrade header."""


class Hijacked:
    """A connection that left HTTP: a stream socket and what the client sent already."""

    def __init__(self, descriptor: int, preamble: bytes) -> None:
        self._descriptor = descriptor
        self.preamble = preamble

    def fileno(self) -> int:
        """The socket's descriptor, still owned here."""
        return self._descriptor

    def close(self) -> None:
        """Closes our descriptor; whoever was given a copy keeps the connection."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


class _Body:
    """Counts the bytes of a request's body, chunked or of known length."""

    def __init__(self, length: int, chunked: bool) -> None:
        self._left = length
        self._chunked = chunked
        self._line = b""
        self._trailer = False
        self.done = not chunked and length == 0

    def take(self, data: bytes) -> int:
        """How many of these bytes belong to the body."""
        if not self._chunked:
            used = min(self._left, len(data))
            self._left -= used
            self.done = self._left == 0
            return used
        position = 0
        while position < len(data) and not self.done:
            position = self._take_chunked(data, position)
        return position

    def _take_chunked(self, data: bytes, position: int) -> int:
        if self._left:
            used = min(self._left, len(data) - position)
            self._left -= used
            return position + used
        end = data.find(b"\n", position)
        if end < 0:
            self._line += data[position:]
            return len(data)
        line = (self._line + data[position:end]).strip()
        self._line = b""
        if self._trailer:
            self.done = not line
        elif line:
            try:
                size = int(line.partition(b";")[0], 16)
            except ValueError:
                size = 0  # the server answers 400; nothing after it is trusted
            self._trailer = size == 0
            self._left = size + 2 if size else 0
        return end + 1


class Gate(asyncio.Protocol):
    """One connection: everything goes to `inner`, an aiohttp protocol, until it is taken over."""

    def __init__(self, inner: asyncio.Protocol, holds: Holds) -> None:
        self._inner = inner
        self._holds = holds
        self._buffer = b""
        self._body: _Body | None = None
        self._held: bytes | None = None
        self._transport: asyncio.Transport | None = None
        self._relay: asyncio.StreamWriter | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self._gone = False
        self.upgrade = ""

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client came."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._inner.connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client went, or the connection was taken over."""
        self._gone = True
        self._writable.set()
        self._inner.connection_lost(exc)
        if self._relay:
            self._relay.close()

    def data_received(self, data: bytes) -> None:
        """Bytes came: of a head, of a body, or for whoever took the connection over."""
        if self._relay:
            self._relay.write(data)
            return
        if self._held is not None:
            self._held += data
            return
        while data:
            if self._body:
                used = self._body.take(data)
                if used:
                    self._inner.data_received(data[:used])
                data = data[used:]
                if self._body.done:
                    self._body = None
                    if self.upgrade:
                        self._hold(data)
                        return
                continue
            self._buffer += data
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                if len(self._buffer) > _HEAD_LIMIT or self._buffer.startswith(b"PRI * HTTP/2"):
                    self._inner.data_received(self._buffer)
                    self._buffer = b""
                return
            head, data = self._buffer[: end + 4], self._buffer[end + 4 :]
            self._buffer = b""
            self._begin(head)
            if self._body is None and self.upgrade:
                self._hold(data)
                return

    def eof_received(self) -> bool | None:
        """The client sends no more; a held connection stays open for what it still reads."""
        if self._relay:
            if self._relay.can_write_eof():
                self._relay.write_eof()
            return True
        if self._held is not None:
            return True
        return self._inner.eof_received()

    def pause_writing(self) -> None:
        """The client reads slowly."""
        self._writable.clear()
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        """The client has read."""
        self._writable.set()
        self._inner.resume_writing()

    # Requests

    def _begin(self, head: bytes) -> None:
        lines = head.split(b"\r\n")
        method, _, rest = lines[0].partition(b" ")
        path = rest.partition(b" ")[0].partition(b"?")[0]
        length, chunked, upgrade = 0, False, ""
        for line in lines[1:]:
            name, _, value = line.partition(b":")
            key = name.strip().lower()
            if key == b"content-length" and value.strip().isdigit():
                length = int(value)
            elif key == b"transfer-encoding":
                chunked = b"chunked" in value.lower()
            elif key == b"upgrade":
                upgrade = value.strip().decode("latin-1").lower()
        self.upgrade = ""
        if upgrade and upgrade != "websocket":
            self.upgrade = upgrade
            kept = [line for line in lines if not line.lower().startswith(_HOP_HEADERS)]
            head = b"\r\n".join(kept)
        elif not upgrade and self._holds(method, path):
            self.upgrade = "none"
        body = _Body(length, chunked)
        self._body = None if body.done else body
        self._inner.data_received(head)

    def _hold(self, rest: bytes) -> None:
        self._held = rest
        if self._transport:
            self._transport.pause_reading()

    def release(self) -> None:
        """A held request was answered in the ordinary way: read on."""
        held, self._held = self._held, None
        self.upgrade = ""
        if self._transport and not self._transport.is_closing():
            self._transport.resume_reading()
            if held:
                self.data_received(held)

    async def take_over(self, head: bytes) -> Hijacked:
        """Writes the answer's head and takes the connection from HTTP.

        A plain connection's socket is duplicated, to be passed on; of TLS, and of clients that
        sent much already, a relay carries the bytes. Raises ConnectionResetError if the client
        is gone.
        """
        transport = self._transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError("the client is gone")
        transport.set_write_buffer_limits(0)
        transport.write(head)
        while transport.get_write_buffer_size() and not self._gone:
            await self._writable.wait()
            await asyncio.sleep(0)
        if self._gone:
            raise ConnectionResetError("the client is gone")
        held = self._held or b""
        tls = transport.get_extra_info("ssl_object") is not None
        if tls or len(held) > _PREAMBLE_LIMIT:
            return await self._start_relay(transport, held)
        sock = transport.get_extra_info("socket")
        descriptor = os.dup(sock.fileno())
        transport.abort()
        return Hijacked(descriptor, held)

    async def _start_relay(self, transport: asyncio.Transport, held: bytes) -> Hijacked:
        near, far = socket.socketpair()
        near.setblocking(False)
        far.setblocking(False)
        reader, writer = await asyncio.open_connection(sock=near)
        self._relay = writer
        writer.write(held)
        self._held = None
        loop = asyncio.get_running_loop()
        self._pumps = [
            loop.create_task(self._pump_out(transport, reader)),
            loop.create_task(self._pump_in(transport, writer)),
        ]
        return Hijacked(far.detach(), b"")

    async def _pump_in(self, transport: asyncio.Transport, writer: asyncio.StreamWriter) -> None:
        """Reads from the client only as fast as the other side takes it."""
        while not self._gone and not writer.is_closing():
            try:
                await writer.drain()
            except ConnectionError:
                return
            if transport.is_closing():
                return
            transport.resume_reading()
            await asyncio.sleep(0.01)
            if writer.transport.get_write_buffer_size() > _PREAMBLE_LIMIT:
                transport.pause_reading()

    async def _pump_out(self, transport: asyncio.Transport, reader: asyncio.StreamReader) -> None:
        while not self._gone:
            data = await reader.read(1 << 16)
            if not data:
                break
            transport.write(data)
            await self._writable.wait()
        if not transport.is_closing():
            transport.close()


def gate_of(transport: asyncio.BaseTransport | None) -> Gate | None:
    """The gate that a connection came through."""
    if isinstance(transport, asyncio.Transport):
        protocol = transport.get_protocol()
        if isinstance(protocol, Gate):
            return protocol
    return None
