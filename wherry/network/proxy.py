"""The proxy process: one for each daemon, for all ports that rules cannot translate.

It listens where packets cannot be sent on to a container: [::1], IPv6 addresses of the host when
the container has only IPv4, and everywhere when the daemon makes no rules. It outlives the daemon;
the next one finds it by its control socket and says what should be there. A port is a socket here,
no process and no thread.
"""

import contextlib
import errno
import os
import resource
import selectors
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from wherry.linux.process import set_name
from wherry.network.proxy_messages import (
    CONTROL,
    MESSAGE_SIZE,
    Answer,
    Forward,
    Order,
)
from wherry.network.relay import FLOW_SECONDS, Connection, Datagrams

_PAUSE_SECONDS = 1.0


def proxy_task(parameters: bytes, descriptors: list[int], report: Callable[[bytes], None]) -> bytes:
    """The process's main function: `parameters` is the directory of the control socket."""
    os.setsid()
    set_name("wherry-proxy")
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    _Proxy(Path(parameters.decode())).run(report)
    return b""


class _Proxy:
    """Listeners by what they forward, and the daemon's connection."""

    def __init__(self, directory: Path) -> None:
        self._selector = selectors.DefaultSelector()
        self._listeners: dict[Forward, socket.socket] = {}
        self._datagrams: dict[Forward, Datagrams] = {}
        self._kept: set[Forward] = set()
        self._path = directory / CONTROL
        self._control = _bind(directory)
        self._paused: list[tuple[float, Forward]] = []
        self._running = True

    def run(self, report: Callable[[bytes], None]) -> None:
        """Serves until told to end."""
        self._selector.register(self._control, selectors.EVENT_READ, self._accept_daemon)
        report(b"ready")
        swept = time.monotonic()
        while self._running:
            for key, events in self._selector.select(self._patience()):
                key.data(key, events)
            now = time.monotonic()
            self._resume(now)
            if now - swept > FLOW_SECONDS / 3:
                swept = now
                for flows in self._datagrams.values():
                    flows.expire(now)

    def _patience(self) -> float | None:
        if self._paused:
            return _PAUSE_SECONDS
        return FLOW_SECONDS / 3 if self._datagrams else None

    def _accept_daemon(self, key: selectors.SelectorKey, events: int) -> None:
        connection, _ = self._control.accept()
        self._selector.register(connection, selectors.EVENT_READ, self._hear)

    def _hear(self, key: selectors.SelectorKey, events: int) -> None:
        connection: Any = key.fileobj
        try:
            data = connection.recv(MESSAGE_SIZE)
        except OSError:
            data = b""
        if not data:
            self._selector.unregister(connection)
            connection.close()
            return
        answer = self._obey(msgspec.json.decode(data, type=Order))
        with contextlib.suppress(OSError):
            connection.send(msgspec.json.encode(answer))

    def _obey(self, order: Order) -> Answer:
        match order.verb:
            case "add":
                return self._add(order.forwards)
            case "keep":
                self._kept.update(order.forwards)
                return self._add(order.forwards)
            case "sweep":
                self._remove([item for item in self._listeners if item not in self._kept])
                self._kept.clear()
            case "remove":
                self._remove(order.forwards)
            case "end":
                self._end()
        return Answer()

    def _add(self, forwards: list[Forward]) -> Answer:
        done: list[Forward] = []
        for forward in forwards:
            if forward in self._listeners:
                continue
            try:
                self._open(forward)
            except OSError as error:
                self._remove(done)
                return Answer(error.errno or errno.EIO, forward)
            done.append(forward)
        return Answer()

    def _open(self, forward: Forward) -> None:
        listener = _listen(forward)
        target = (forward.address, forward.port)
        self._listeners[forward] = listener
        if forward.protocol == "udp":
            flows = Datagrams(self._selector, listener, target)
            self._datagrams[forward] = flows
            self._selector.register(listener, selectors.EVENT_READ, flows.ready)
            return

        def ready(key: selectors.SelectorKey, events: int) -> None:
            if self._listeners.get(forward) is not listener:
                return  # taken back in this very turn
            try:
                client, _ = listener.accept()
            except BlockingIOError:
                return
            except OSError:  # no descriptor is free: others may end meanwhile
                self._selector.unregister(listener)
                self._paused.append((time.monotonic(), forward))
                return
            try:
                Connection(self._selector, client, target)
            except OSError:
                client.close()

        self._selector.register(listener, selectors.EVENT_READ, ready)

    def _resume(self, now: float) -> None:
        """Listens again where it had paused for want of descriptors."""
        waiting, self._paused = self._paused, []
        for since, forward in waiting:
            if forward not in self._listeners:
                continue
            if now - since < _PAUSE_SECONDS:
                self._paused.append((since, forward))
                continue
            self._listeners.pop(forward).close()
            with contextlib.suppress(OSError):
                self._open(forward)

    def _remove(self, forwards: list[Forward]) -> None:
        for forward in forwards:
            listener = self._listeners.pop(forward, None)
            flows = self._datagrams.pop(forward, None)
            if flows is not None:
                flows.close()
            if listener is not None:
                with contextlib.suppress(KeyError):
                    self._selector.unregister(listener)
                listener.close()

    def _end(self) -> None:
        """Closes everything before the daemon is told so: the ports may be wanted again at once."""
        self._running = False
        self._remove(list(self._listeners))
        self._path.unlink(missing_ok=True)


def _listen(forward: Forward) -> socket.socket:
    family = socket.AF_INET6 if ":" in forward.host_ip else socket.AF_INET
    kind = socket.SOCK_DGRAM if forward.protocol == "udp" else socket.SOCK_STREAM
    listener = socket.socket(family, kind)
    try:
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if kind == socket.SOCK_STREAM:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setblocking(False)
        listener.bind((forward.host_ip, forward.host_port))
        if kind == socket.SOCK_STREAM:
            listener.listen(128)
    except BaseException:
        listener.close()
        raise
    return listener


def _bind(directory: Path) -> socket.socket:
    (directory / CONTROL).unlink(missing_ok=True)
    control = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    mask = os.umask(0o177)
    descriptor = os.open(directory, os.O_PATH | os.O_CLOEXEC)
    try:
        # By descriptor, since a socket's path may have 107 bytes only (unix(7)).
        control.bind(f"/proc/self/fd/{descriptor}/{CONTROL}")
    finally:
        os.close(descriptor)
        os.umask(mask)
    control.listen(4)
    control.setblocking(False)
    return control
