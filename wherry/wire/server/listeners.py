"""Listening sockets: unix, tcp (with TLS or without), and those that systemd passes (fd://)."""

import asyncio
import errno
import grp
import os
import socket
import ssl
import stat
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from wherry.base.errors import Conflict, InvalidParameter, NotFound
from wherry.wire.server.tls import TlsTermination

_LISTEN_FDS_START = 3
_BACKLOG = 1024
_PLAIN_PORT, _TLS_PORT = "2375", "2376"

ProtocolFactory = Callable[[], asyncio.Protocol]


class Listener:
    """The listening sockets of one host; serves, and cleans up what it made itself."""

    def __init__(self, host: str, sockets: list[socket.socket], path: str = "") -> None:
        """`path` is that of a unix socket made by us."""
        self.host = host
        self.sockets = sockets
        self._path = path
        self._identity = _identity(path) if path else None
        self._servers: list[asyncio.Server] = []

    async def serve(self, protocol: ProtocolFactory, tls: ssl.SSLContext | None = None) -> None:
        """Accepts connections with a protocol for each; TLS is for tcp sockets only."""
        for listener in self.sockets:
            self._servers.append(await serve(listener, protocol, tls))

    async def close(self) -> None:
        """Accepts no more, and removes the unix socket unless somebody else's is there by now."""
        for server in self._servers:
            server.close()
        for listener in self.sockets:
            listener.close()
        self._remove_own()

    def _remove_own(self) -> None:
        if self._path and _identity(self._path) == self._identity:
            Path(self._path).unlink(missing_ok=True)


def listen(host: str, *, group: str = "", tls: bool = False) -> Listener:
    """Listens on a host such as unix:///run/x.sock, tcp://127.0.0.1:2375 or fd://.

    A unix socket gets mode 0660 and the group, if that exists. Raises InvalidParameter for what
    cannot be listened on, Conflict for a socket that is served already, NotFound for a group that
    is missing.
    """
    scheme, _, address = host.partition("://")
    if scheme == "unix":
        return Listener(host, [_unix(address, group)], address)
    if scheme == "tcp":
        return Listener(host, [_tcp(host, address, _TLS_PORT if tls else _PLAIN_PORT)])
    if scheme == "fd":
        return Listener(host, _passed())
    raise InvalidParameter(f"invalid bind address (use unix://, tcp:// or fd://): {host}")


def open_listener(host: str, *, group: str = "") -> list[socket.socket]:
    """The sockets of `listen`, for callers that close them themselves."""
    return listen(host, group=group).sockets


def _identity(path: str) -> tuple[int, int] | None:
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def _unix(path: str, group: str) -> socket.socket:
    if not path:
        raise InvalidParameter("invalid bind address, a path is missing: unix://")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        _remove_stale(path)
        mask = os.umask(0o777)  # nobody connects before owner and mode are set
        try:
            listener.bind(path)
        finally:
            os.umask(mask)
        give_access(path, group)
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise InvalidParameter(f"cannot listen on unix://{path}: {error.strerror}") from error
    except BaseException:
        listener.close()
        raise
    listener.setblocking(False)
    return listener


def give_access(path: str, group: str) -> None:
    """Lets root and a group connect to a unix socket; raises NotFound for an unknown group."""
    os.chown(path, 0 if os.geteuid() == 0 else -1, _group_id(group) if group else -1)
    Path(path).chmod(0o660)


def _remove_stale(path: str) -> None:
    """Removes the socket that a killed daemon left; raises Conflict if somebody serves it."""
    try:
        if not stat.S_ISSOCK(os.lstat(path).st_mode):
            raise Conflict(f"cannot listen on unix://{path}: a file that is no socket is there")
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        result = probe.connect_ex(path)
    if result in (0, errno.EAGAIN):
        raise Conflict(f"cannot listen on unix://{path}: another daemon serves it")
    Path(path).unlink(missing_ok=True)


def _group_id(group: str) -> int:
    try:
        return int(group) if group.isdecimal() else grp.getgrnam(group).gr_gid
    except KeyError:
        raise NotFound(f"group {group} does not exist: make it, or leave --group out") from None


def _tcp(host: str, address: str, default_port: str) -> socket.socket:
    name, _, port = address.rstrip("/").rpartition(":")
    if not port.isdecimal():
        name, port = address.rstrip("/"), default_port
    name = name.strip("[]")
    try:
        family = socket.AF_INET
        if name:
            family = socket.getaddrinfo(name, int(port), type=socket.SOCK_STREAM)[0][0]
        listener = socket.create_server((name, int(port)), family=family, backlog=_BACKLOG)
    except (OSError, OverflowError) as error:
        raise InvalidParameter(f"cannot listen on {host}: {error}") from error
    listener.setblocking(False)
    return listener


def _passed() -> list[socket.socket]:
    """Sockets from systemd (sd_listen_fds(3))."""
    count = os.environ.get("LISTEN_FDS", "")
    if os.environ.get("LISTEN_PID") != str(os.getpid()) or not count.isdecimal():
        raise InvalidParameter("no sockets were passed: fd:// needs socket activation")
    found = [socket.socket(fileno=_LISTEN_FDS_START + number) for number in range(int(count))]
    for listener in found:
        listener.setblocking(False)
        os.set_inheritable(listener.fileno(), False)
    return found


def remove_sockets(hosts: Iterable[str]) -> None:
    """Removes the files of unix sockets that are served no longer."""
    for host in hosts:
        if host.startswith("unix://"):
            Path(host.removeprefix("unix://")).unlink(missing_ok=True)


def tls_context(cert: str, key: str, ca: str, *, verify: bool) -> ssl.SSLContext:
    """The server's TLS settings; with `verify` a client must show a certificate of `ca`."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(cert, key)
        if verify:
            context.load_verify_locations(ca)
            context.verify_mode = ssl.CERT_REQUIRED
    except (OSError, ssl.SSLError) as error:
        raise InvalidParameter(f"cannot use the TLS files {cert}, {key}, {ca}: {error}") from error
    return context


async def serve(
    listener: socket.socket, protocol: ProtocolFactory, tls: ssl.SSLContext | None = None
) -> asyncio.Server:
    """Accepts connections of a listening socket with a protocol for each."""
    loop = asyncio.get_running_loop()
    if listener.family == socket.AF_UNIX:
        return await loop.create_unix_server(protocol, sock=listener, backlog=_BACKLOG)
    if tls:
        terminated = partial(_terminated, tls, protocol)
        return await loop.create_server(terminated, sock=listener, backlog=_BACKLOG)
    return await loop.create_server(protocol, sock=listener, backlog=_BACKLOG)


def _terminated(tls: ssl.SSLContext, protocol: ProtocolFactory) -> TlsTermination:
    return TlsTermination(tls, protocol())
