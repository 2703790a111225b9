"""One question to one name server: UDP, and TCP when the answer does not fit."""

import asyncio
import errno
import os
import random
import socket
import struct
from collections.abc import Callable
from typing import NamedTuple

from wherry.network.dns import message as m
from wherry.network.dns.namespaces import Namespace

_PORT = 53
_LENGTH = struct.Struct("!H")
_TCP_SECONDS = 3.0

_random = random.SystemRandom()


class Upstream(NamedTuple):
    """A name server, and the namespace that it is asked from, None for the host's."""

    address: str
    port: int = _PORT
    namespace: Namespace | None = None


OpenSocket = Callable[[Namespace | None, int, int], socket.socket]
"""Makes a socket in a namespace (None for the host's), of an address family and a type."""


def open_here(namespace: Namespace | None, family: int, kind: int) -> socket.socket:
    """A socket in the caller's own namespace, the only one that it can reach."""
    if namespace is not None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))
    return socket.socket(family, kind)


async def ask(upstream: Upstream, query: m.Query, data: bytes, opener: OpenSocket) -> bytes:
    """The server's answer to a query whose wire form is `data`, under the query's id.

    Each question has a random id and a port of its own, against forged answers (RFC 5452). Raises
    OSError where the server cannot be reached; waits without a bound for one that is silent.
    """
    own = query._replace(id=_random.randrange(1 << 16))
    sent = m.with_id(data, own.id)
    found = await _over_udp(upstream, own, sent, opener)
    if m.truncated(found):
        try:
            async with asyncio.timeout(_TCP_SECONDS):
                found = await _over_tcp(upstream, own, sent, opener)
        except (OSError, EOFError):  # TimeoutError is one: the client may try TCP itself
            pass
    return m.with_id(found, query.id)


async def _over_udp(
    upstream: Upstream, query: m.Query, data: bytes, opener: OpenSocket
) -> bytes:  # fmt: skip
    loop = asyncio.get_running_loop()
    with _open(upstream, socket.SOCK_DGRAM, opener) as connection:
        connection.connect((upstream.address, upstream.port))
        await loop.sock_sendall(connection, data)
        while True:
            found = await loop.sock_recv(connection, 1 << 16)
            if m.answers(query, found):
                return found


async def _over_tcp(
    upstream: Upstream, query: m.Query, data: bytes, opener: OpenSocket
) -> bytes:  # fmt: skip
    loop = asyncio.get_running_loop()
    with _open(upstream, socket.SOCK_STREAM, opener) as connection:
        await loop.sock_connect(connection, (upstream.address, upstream.port))
        await loop.sock_sendall(connection, _LENGTH.pack(len(data)) + data)
        (length,) = _LENGTH.unpack(await _exactly(connection, _LENGTH.size))
        found = await _exactly(connection, length)
    if not m.answers(query, found):
        raise EOFError("an answer to another question")
    return found


async def _exactly(connection: socket.socket, length: int) -> bytes:
    loop = asyncio.get_running_loop()
    data = bytearray()
    while len(data) < length:
        part = await loop.sock_recv(connection, length - len(data))
        if not part:
            raise EOFError("the server ended the connection")
        data += part
    return bytes(data)


def _open(upstream: Upstream, kind: int, opener: OpenSocket) -> socket.socket:
    family = socket.AF_INET6 if ":" in upstream.address else socket.AF_INET
    connection = opener(upstream.namespace, family, kind)
    connection.setblocking(False)
    return connection
