"""Listening sockets: unix, tcp (with TLS or without), and those that systemd passes (fd://)."""

import asyncio
import contextlib
import os
import socket
import ssl
from collections.abc import Callable
from pathlib import Path

from wherry.base.errors import InvalidParameter, NotFound

_LISTEN_FDS_START = 3


def open_listener(host: str, *, group: str = "") -> list[socket.socket]:
    """The listening sockets of a host such as unix:///run/x.sock, tcp://127.0.0.1:2375 or fd://.

    A unix socket gets mode 0660 and the group, if that exists. Raises InvalidParameter for what
    cannot be listened on, NotFound for a group that was asked for and is missing.
    """
    scheme, _, address = host.partition("://")
    if scheme == "unix":
        return [_unix(address, group)]
    if scheme == "tcp":
        return _tcp(host, address)
    if scheme == "fd":
        return _passed()
    raise InvalidParameter(f"invalid bind address (use unix://, tcp:// or fd://): {host}")


def _unix(path: str, group: str) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            Path(path).unlink()
        mask = os.umask(0o117)
        try:
            listener.bind(path)
        finally:
            os.umask(mask)
        if group:
            os.chown(path, 0, _group_id(group))
        listener.listen(1024)
    except OSError as error:
        listener.close()
        raise InvalidParameter(f"cannot listen on unix://{path}: {error.strerror}") from error
    listener.setblocking(False)
    return listener


def _group_id(group: str) -> int:
    import grp

    try:
        return int(group) if group.isdecimal() else grp.getgrnam(group).gr_gid
    except KeyError:
        raise NotFound(f"group {group} does not exist: make it, or leave --group out") from None


def _tcp(host: str, address: str) -> list[socket.socket]:
    name, _, port = address.rpartition(":")
    if not port.isdecimal():
        raise InvalidParameter(f"invalid bind address, a port is missing: {host}")
    name = name.strip("[]")
    family = socket.AF_INET6 if ":" in name else socket.AF_INET
    try:
        listener = socket.create_server((name, int(port)), family=family, backlog=1024)
    except OSError as error:
        raise InvalidParameter(f"cannot listen on {host}: {error.strerror}") from error
    listener.setblocking(False)
    return [listener]


def _passed() -> list[socket.socket]:
    """Sockets from systemd (sd_listen_fds(3))."""
    if os.environ.get("LISTEN_PID") != str(os.getpid()):
        raise InvalidParameter("no sockets were passed: fd:// needs socket activation")
    count = int(os.environ.get("LISTEN_FDS", "0"))
    found = [socket.socket(fileno=_LISTEN_FDS_START + number) for number in range(count)]
    for listener in found:
        listener.setblocking(False)
        os.set_inheritable(listener.fileno(), False)
    return found


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
    listener: socket.socket, protocol: Callable[[], asyncio.Protocol],
    tls: ssl.SSLContext | None = None,
) -> asyncio.Server:  # fmt: skip
    """Accepts connections of a listening socket with a protocol for each."""
    loop = asyncio.get_running_loop()
    if listener.family == socket.AF_UNIX:
        return await loop.create_unix_server(protocol, sock=listener)
    return await loop.create_server(protocol, sock=listener, ssl=tls)
