"""Listening sockets that outlive the daemon.

A container that has the engine's socket mounted keeps the file, not the name: a daemon that made a
new socket at its start would be out of its reach. So a small process holds the unix listeners and
hands them to the next daemon. While no daemon is there clients wait a few seconds in the backlog,
then are told so, instead of hanging.
"""

import contextlib
import json
import os
import select
import signal
import socket
import time
from collections.abc import Callable, Sequence
from pathlib import Path

GRACE_SECONDS = 5.0
"""How long clients wait for a new daemon before they are answered 503."""

_CONTROL = "listeners.sock"
_RELEASE = b"release"
_MESSAGE = (
    b'{"message":"the wherry daemon is not running: start it, or see why it ended in its log"}\n'
)
_ANSWER = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\n"
    b"Connection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(_MESSAGE), _MESSAGE)
)


def hold_task(parameters: bytes, descriptors: list[int], report: Callable[[bytes], None]) -> bytes:
    """The holder's main function: parameters are the control directory and the hosts."""
    directory, hosts = json.loads(parameters)
    os.setsid()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    _Holder(Path(directory), hosts, [socket.socket(fileno=item) for item in descriptors]).run(
        report
    )
    return b""


class _Holder:
    """Waits for daemons on a control socket; answers clients when there is none."""

    def __init__(self, directory: Path, hosts: list[str], listeners: list[socket.socket]) -> None:
        self._directory = directory
        self._hosts = hosts
        self._listeners = listeners
        self._control = _bind_control(directory)
        self._daemon: socket.socket | None = None
        self._alone_since = time.monotonic()
        self._running = True

    def run(self, report: Callable[[bytes], None]) -> None:
        report(b"ready")
        while self._running:
            watched: list[socket.socket] = [self._control]
            if self._daemon:
                watched.append(self._daemon)
            timeout = None
            if self._daemon is None:
                alone = time.monotonic() - self._alone_since
                timeout = max(GRACE_SECONDS - alone, 0) if alone < GRACE_SECONDS else None
                if timeout is None:
                    watched += self._listeners
            ready, _, _ = select.select(watched, [], [], timeout)
            for item in ready:
                self._serve(item)

    def _serve(self, item: socket.socket) -> None:
        if item is self._control:
            connection, _ = item.accept()
            if self._daemon:
                self._daemon.close()
            self._daemon = connection
            names = json.dumps(self._hosts).encode()
            socket.send_fds(connection, [names], [each.fileno() for each in self._listeners])
        elif item is self._daemon:
            self._hear(item)
        else:
            _refuse(item)

    def _hear(self, daemon: socket.socket) -> None:
        try:
            data = daemon.recv(64)
        except OSError:
            data = b""
        if data == _RELEASE:
            self._end()
        daemon.close()
        self._daemon = None
        self._alone_since = time.monotonic()

    def _end(self) -> None:
        """Closes everything before the daemon is told so by the end of its connection."""
        self._running = False
        for listener in self._listeners:
            listener.close()
        self._control.close()
        (self._directory / _CONTROL).unlink(missing_ok=True)


def _refuse(listener: socket.socket) -> None:
    """Tells one waiting client that there is no daemon."""
    try:
        client, _ = listener.accept()
    except OSError:
        return
    with client, contextlib.suppress(OSError):
        client.settimeout(1)
        client.recv(1 << 16)
        client.sendall(_ANSWER)


def _bind_control(directory: Path) -> socket.socket:
    (directory / _CONTROL).unlink(missing_ok=True)
    control = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    mask = os.umask(0o177)
    handle = os.open(directory, os.O_PATH | os.O_CLOEXEC)
    try:
        control.bind(f"/proc/self/fd/{handle}/{_CONTROL}")
    finally:
        os.close(handle)
        os.umask(mask)
    control.listen(4)
    return control


class HeldListeners:
    """A daemon's connection to its holder; closing it without `release` leaves the sockets."""

    def __init__(self, connection: socket.socket, listeners: dict[str, socket.socket]) -> None:
        self._connection = connection
        self.listeners = listeners

    def release(self) -> None:
        """Ends the holder and waits for it: the sockets are closed when the daemon closes its own.

        Those of `listeners` are closed here, too.
        """
        for listener in self.listeners.values():
            listener.close()
        with contextlib.suppress(OSError):
            self._connection.send(_RELEASE)
            self._connection.recv(1)
        self._connection.close()

    def leave(self) -> None:
        """The holder keeps the sockets for the next daemon."""
        self._connection.close()


def take_listeners(directory: Path) -> HeldListeners | None:
    """The listeners of an earlier daemon's holder, None if there is no holder."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    connection.settimeout(5)
    try:
        handle = os.open(directory, os.O_PATH | os.O_CLOEXEC)
        try:
            connection.connect(f"/proc/self/fd/{handle}/{_CONTROL}")
        finally:
            os.close(handle)
        data, descriptors, _, _ = socket.recv_fds(connection, 1 << 16, 16)
        if not data:
            raise ConnectionResetError
    except OSError:
        connection.close()
        return None
    hosts: Sequence[str] = json.loads(data)
    sockets = [socket.socket(fileno=item) for item in descriptors]
    for each in sockets:
        each.setblocking(False)
        os.set_inheritable(each.fileno(), False)
    return HeldListeners(connection, dict(zip(hosts, sockets, strict=True)))
