"""Carrying a connection's bytes to a socket pair, where the connection itself cannot be given away.

Each side is read only while the other takes what it is sent, and ends travel one by one: a client
that sends no more still reads.
"""

import asyncio
import socket
from typing import Protocol


class RelayEnd(Protocol):
    """The client's side of a relay."""

    def relay_ended(self) -> None:
        """The other side will send no more."""


class Relay(asyncio.Protocol):
    """The protocol of our end of the pair; the client's side calls it with what it receives."""

    def __init__(self, client: asyncio.Transport, owner: RelayEnd) -> None:
        """`client` is written to and read from at the other side's pace."""
        self._client = client
        self._owner = owner
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The pair is in the loop."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """The other side closed."""
        self._transport = None
        self._owner.relay_ended()

    def data_received(self, data: bytes) -> None:
        """Output for the client."""
        if not self._client.is_closing():
            self._client.write(data)

    def eof_received(self) -> bool:
        """There is no more output; input to a process that still reads it goes on."""
        self._owner.relay_ended()
        return False

    def pause_writing(self) -> None:
        """The other side is slow: the client waits."""
        if not self._client.is_closing():
            self._client.pause_reading()

    def resume_writing(self) -> None:
        """The other side has caught up."""
        if not self._client.is_closing():
            self._client.resume_reading()

    # Called by the client's side

    def send(self, data: bytes) -> None:
        """Input from the client."""
        if self._transport and not self._transport.is_closing():
            self._transport.write(data)

    def send_eof(self) -> None:
        """The client sends no more."""
        if self._transport and not self._transport.is_closing():
            self._transport.write_eof()

    def close(self) -> None:
        """The client is gone."""
        if self._transport:
            self._transport.close()

    def pause(self) -> None:
        """The client reads slowly."""
        if self._transport and not self._transport.is_closing():
            self._transport.pause_reading()

    def resume(self) -> None:
        """The client has caught up."""
        if self._transport and not self._transport.is_closing():
            self._transport.resume_reading()


async def start_relay(client: asyncio.Transport, owner: RelayEnd) -> tuple[Relay, int]:
    """A relay for a client, and the descriptor of the far end, which the caller owns."""
    near, far = socket.socketpair()
    near.setblocking(False)
    far.setblocking(False)
    try:
        loop = asyncio.get_running_loop()
        _, relay = await loop.create_connection(lambda: Relay(client, owner), sock=near)
    except BaseException:
        near.close()
        far.close()
        raise
    return relay, far.detach()
