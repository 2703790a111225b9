"""The gate before the HTTP server: lets a request take its connection over without losing a byte.

aiohttp reads on past the head of an upgrade that it does not know and drops what it read. So the
gate stays the transport's protocol. It follows requests far enough to know where one ends; of a
request that may be hijacked it passes exactly head and body, stops reading, and keeps the rest.
"""

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable

from wherry.wire.server.body import BodyLength
from wherry.wire.server.relay import Relay, start_relay

HELD_HEADER = "X-Wherry-Held"
"""Added to the head of a held request: the protocol it asks for, or `none`."""

_HEAD_LIMIT = 1 << 18
_HOP_HEADERS = (b"upgrade:", b"connection:")
_HELD_PREFIX = HELD_HEADER.lower().encode() + b":"

Holds = Callable[[bytes, bytes], bool]
"""Whether a request (method, path) may take its connection over without an Upgrade header."""


class Hijacked:
    """A connection that left HTTP, as a stream socket; the first byte read is the client's next."""

    def __init__(self, descriptor: int) -> None:
        """Owns the descriptor."""
        self._descriptor = descriptor

    def fileno(self) -> int:
        """The socket's descriptor, still owned here."""
        return self._descriptor

    async def send(self, data: bytes) -> None:
        """Writes to the client; one that is gone is no error."""
        with socket.socket(fileno=os.dup(self._descriptor)) as client:
            client.setblocking(False)
            with contextlib.suppress(OSError):
                await asyncio.get_running_loop().sock_sendall(client, data)

    def close(self) -> None:
        """Closes our descriptor; whoever was given a copy keeps the connection."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


class Gate(asyncio.Protocol):
    """One connection: everything goes to `inner`, an aiohttp protocol, until it is taken over."""

    def __init__(self, inner: asyncio.Protocol, holds: Holds) -> None:
        """`holds` names requests to be held although they ask for no upgrade."""
        self._inner = inner
        self._holds = holds
        self._buffer = b""
        self._body: BodyLength | None = None
        self._holding = False
        self._held: bytearray | None = None
        self._transport: asyncio.Transport | None = None
        self._relay: Relay | None = None
        self._ended = False
        self._drained = asyncio.Event()
        self._drained.set()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client came."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._inner.connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client went, or the connection was taken over."""
        self._transport = None
        self._drained.set()
        if self._relay:
            self._relay.close()
        else:
            self._inner.connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes came: of a head, of a body, or for whoever takes the connection over."""
        if self._relay:
            self._relay.send(data)
            return
        if self._held is not None:
            self._held += data
            self._pause()  # aiohttp resumes the transport when a handler reads its body
            return
        while data:
            data = self._take_body(data) if self._body else self._take_head(data)

    def eof_received(self) -> bool | None:
        """The client sends no more; a held connection stays open for what it still reads."""
        if self._relay:
            self._relay.send_eof()
            return True
        if self._held is not None:
            self._ended = True
            return True
        return self._inner.eof_received()

    def pause_writing(self) -> None:
        """The client reads slowly."""
        self._drained.clear()
        if self._relay:
            self._relay.pause()
        else:
            self._inner.pause_writing()

    def resume_writing(self) -> None:
        """The client has read."""
        self._drained.set()
        if self._relay:
            self._relay.resume()
        else:
            self._inner.resume_writing()

    def relay_ended(self) -> None:
        """Everything that the relay carried to the client is written: the connection ends."""
        if self._transport and not self._transport.is_closing():
            self._transport.close()

    # Requests

    def _take_body(self, data: bytes) -> bytes:
        assert self._body
        used = self._body.take(data)
        if self._body.broken:
            return self._break_off()
        if used:
            self._inner.data_received(data[:used])
        rest = data[used:]
        if self._body.done:
            self._body = None
            if self._holding:
                self._hold(rest)
                return b""
        return rest

    def _break_off(self) -> bytes:
        """Ends a request whose body cannot be followed; aiohttp would wait for the rest of it."""
        if self._transport and not self._transport.is_closing():
            self._transport.abort()
        return b""

    def _take_head(self, data: bytes) -> bytes:
        # What was searched before is not searched again.
        searched = max(0, len(self._buffer) - 3)
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n", searched)
        if end < 0:
            if len(self._buffer) > _HEAD_LIMIT:
                self._inner.data_received(self._buffer)  # which answers 400 and closes
                self._buffer = b""
            return b""
        head, rest = self._buffer[: end + 4], self._buffer[end + 4 :]
        self._buffer = b""
        self._begin(head)
        if self._body is None and self._holding:
            self._hold(rest)
            return b""
        return rest

    def _begin(self, head: bytes) -> None:
        lines = head.lstrip(b"\r\n").split(b"\r\n")
        method, _, rest = lines[0].partition(b" ")
        path = rest.partition(b" ")[0].partition(b"?")[0]
        length, chunked, upgrade = 0, False, b""
        for line in lines[1:]:
            name, _, value = line.partition(b":")
            key = name.strip().lower()
            if key == b"content-length" and value.strip().isdigit():
                length = int(value)
            elif key == b"transfer-encoding":
                chunked = b"chunked" in value.lower()
            elif key == b"upgrade":
                upgrade = value.strip().lower()
        if upgrade == b"websocket":
            upgrade = b""
        elif not upgrade and self._holds(method, path):
            upgrade = b"none"
        self._holding = bool(upgrade)
        body = BodyLength(length, chunked)
        self._body = None if body.done else body
        self._inner.data_received(_marked(lines, upgrade, chunked=chunked))

    def _hold(self, rest: bytes) -> None:
        self._held = bytearray(rest)
        self._pause()

    def _pause(self) -> None:
        if self._transport and not self._transport.is_closing():
            self._transport.pause_reading()

    def release(self) -> None:
        """A held request was answered in the ordinary way: reads on as before."""
        held, self._held = self._held, None
        self._holding = False
        if self._transport is None or self._transport.is_closing():
            return
        if self._ended:
            self._transport.close()
            return
        self._transport.resume_reading()
        if held:
            self.data_received(bytes(held))

    async def take_over(self, head: bytes) -> Hijacked:
        """Writes the answer's head and takes the connection from HTTP.

        A plain connection's socket is duplicated, to be passed on; of TLS, and of clients that
        have sent more already, a relay carries the bytes. Raises ConnectionResetError if the
        client is gone.
        """
        if self._transport is None or self._transport.is_closing() or self._held is None:
            raise ConnectionResetError("the client is gone")
        self._transport.set_write_buffer_limits(0)
        self._transport.write(head)
        await self._drained.wait()
        transport = self._transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError("the client is gone")
        tls = transport.get_extra_info("ssl_object") is not None
        if tls or self._held or self._ended:
            return await self._hand_to_relay(transport)
        descriptor = os.dup(transport.get_extra_info("socket").fileno())
        transport.abort()  # closes our descriptor alone: the socket lives on in the copy
        return Hijacked(descriptor)

    async def _hand_to_relay(self, transport: asyncio.Transport) -> Hijacked:
        relay, descriptor = await start_relay(transport, self)
        transport.set_write_buffer_limits()
        held = bytes(self._held or b"")
        self._held = None
        if self._transport is None:
            relay.close()
            os.close(descriptor)
            raise ConnectionResetError("the client is gone")
        self._relay = relay
        # aiohttp forgets the connection; its own end of it would close the transport.
        inner = self._inner
        inner.transport = None  # type: ignore[attr-defined] # see aiohttp.base_protocol
        inner.connection_lost(None)
        if held:
            relay.send(held)
        if self._ended:
            relay.send_eof()
        else:
            relay.resume_writing()
        return Hijacked(descriptor)


def _marked(lines: list[bytes], upgrade: bytes, *, chunked: bool) -> bytes:
    """The head without what aiohttp would act on, and with the mark of a held request.

    A length beside chunks, which docker-py sends with streams, is void (RFC 9112, section 6.3).
    """
    unwanted: tuple[bytes, ...] = (*_HOP_HEADERS, _HELD_PREFIX) if upgrade else (_HELD_PREFIX,)
    unwanted += (b"content-length:",) if chunked else ()
    kept = [line for line in lines if not line.lower().startswith(unwanted)]
    if upgrade:
        kept.insert(1, HELD_HEADER.encode() + b": " + upgrade)
    return b"\r\n".join(kept)


def gate_of(transport: asyncio.BaseTransport | None) -> Gate | None:
    """The gate that a connection came through."""
    if isinstance(transport, asyncio.Transport):
        protocol = transport.get_protocol()
        if isinstance(protocol, Gate):
            return protocol
    return None
