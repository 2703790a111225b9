"""Bytes between a client of a published port and its container: TCP connections, UDP flows.

Single-threaded, on one selector; the proxy process owns it.
"""

import contextlib
import errno
import selectors
import socket
import time
from collections.abc import Callable

LIMIT = 1 << 16
"""Bytes that wait for a slow side before the other is no longer read."""

FLOW_SECONDS = 90.0
"""How long a UDP flow without answers is remembered, as docker-proxy does."""

_FLOW_LIMIT = 1024
_DATAGRAM = 1 << 16
_IN_PROGRESS = {0, errno.EINPROGRESS, errno.EWOULDBLOCK}

Address = tuple[str, int]
Peer = tuple[str | int, ...]
Selector = selectors.BaseSelector


class _Half:
    """One direction: what was read from `source` and waits for `sink`."""

    def __init__(self, source: socket.socket, sink: socket.socket) -> None:
        self.source = source
        self.sink = sink
        self.buffer = bytearray()
        self.ended = False
        self.closed = False

    def read(self) -> None:
        """Takes in what has come; raises OSError but for what passes."""
        try:
            data = self.source.recv(LIMIT)
        except BlockingIOError:
            return
        self.buffer += data
        self.ended = not data

    def write(self) -> None:
        """Gives out what it can, and the end after it."""
        if self.buffer:
            with contextlib.suppress(BlockingIOError):
                del self.buffer[: self.sink.send(self.buffer)]
        if self.ended and not self.buffer and not self.closed:
            self.closed = True
            with contextlib.suppress(OSError):
                self.sink.shutdown(socket.SHUT_WR)


class Connection:
    """One TCP connection through the proxy; it lives in the selector until both sides ended."""

    def __init__(self, selector: Selector, client: socket.socket, target: Address) -> None:
        """Begins to connect to the target; a client of one that refuses is reset."""
        self._selector = selector
        self._client = client
        family = socket.AF_INET6 if ":" in target[0] else socket.AF_INET
        self._server = socket.socket(family, socket.SOCK_STREAM)
        self._connected = False
        self._up = _Half(client, self._server)
        self._down = _Half(self._server, client)
        for side in (client, self._server):
            side.setblocking(False)
            side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._server.connect_ex(target) not in _IN_PROGRESS:
            self._close(reset=True)
            return
        selector.register(client, selectors.EVENT_READ, self._ready)
        selector.register(self._server, selectors.EVENT_WRITE, self._ready)

    def _ready(self, key: selectors.SelectorKey, events: int) -> None:
        try:
            if not self._connected and key.fileobj is self._server:
                code = self._server.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if code:
                    self._close(reset=True)
                    return
                self._connected = True
            if events & selectors.EVENT_READ:
                (self._up if key.fileobj is self._client else self._down).read()
            if self._connected:
                self._up.write()
                self._down.write()
        except OSError:
            self._close(reset=True)
            return
        if self._up.closed and self._down.closed:
            self._close(reset=False)
        else:
            self._watch()

    def _watch(self) -> None:
        for side, inward, outward in (
            (self._client, self._up, self._down),
            (self._server, self._down, self._up),
        ):
            events = 0
            if not inward.ended and len(inward.buffer) < LIMIT:
                events |= selectors.EVENT_READ
            if outward.buffer or (side is self._server and not self._connected):
                events |= selectors.EVENT_WRITE
            self._set(side, events)

    def _set(self, side: socket.socket, events: int) -> None:
        known = self._selector.get_map().get(side)
        if known is None:
            if events:
                self._selector.register(side, events, self._ready)
        elif not events:
            self._selector.unregister(side)
        elif known.events != events:
            self._selector.modify(side, events, self._ready)

    def _close(self, *, reset: bool) -> None:
        for side in (self._client, self._server):
            with contextlib.suppress(KeyError, ValueError):
                self._selector.unregister(side)
            if reset:
                with contextlib.suppress(OSError):
                    side.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            side.close()


class Datagrams:
    """The UDP flows through one published port."""

    def __init__(self, selector: Selector, front: socket.socket, target: Address) -> None:
        self._selector = selector
        self._front = front
        self._target = target
        self._flows: dict[Peer, tuple[socket.socket, list[float]]] = {}

    def ready(self, key: selectors.SelectorKey, events: int) -> None:
        """A client has sent something; what cannot be sent on is lost, as datagrams may be."""
        with contextlib.suppress(OSError):
            data, client = self._front.recvfrom(_DATAGRAM)
            back, used = self._flows.get(client) or self._open(client)
            used[0] = time.monotonic()
            back.send(data)

    def expire(self, now: float) -> None:
        """Forgets flows that are idle."""
        for client, (back, used) in list(self._flows.items()):
            if now - used[0] > FLOW_SECONDS:
                self._drop(client, back)

    def close(self) -> None:
        """Ends all flows."""
        for client, (back, _) in list(self._flows.items()):
            self._drop(client, back)

    def _open(self, client: Peer) -> tuple[socket.socket, list[float]]:
        if len(self._flows) >= _FLOW_LIMIT:
            oldest = min(self._flows, key=lambda item: self._flows[item][1][0])
            self._drop(oldest, self._flows[oldest][0])
        family = socket.AF_INET6 if ":" in self._target[0] else socket.AF_INET
        back = socket.socket(family, socket.SOCK_DGRAM)
        back.setblocking(False)
        back.connect(self._target)
        self._flows[client] = (back, [time.monotonic()])
        self._selector.register(back, selectors.EVENT_READ, self._answering(client))
        return self._flows[client]

    def _answering(self, client: Peer) -> Callable[[selectors.SelectorKey, int], None]:
        def ready(key: selectors.SelectorKey, events: int) -> None:
            if client not in self._flows:
                return  # dropped in this very turn
            back, used = self._flows[client]
            with contextlib.suppress(OSError):
                data = back.recv(_DATAGRAM)
                used[0] = time.monotonic()
                self._front.sendto(data, client)

        return ready

    def _drop(self, client: Peer, back: socket.socket) -> None:
        del self._flows[client]
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(back)
        back.close()
