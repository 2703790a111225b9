"""From an address (`unix://`, `tcp://`, `npipe://` refused, `ssh://`) to a connected byte stream.

Sockets come from `_socket`, which the interpreter has at hand; TLS and ssh import what they
need when they are used.
"""

from __future__ import annotations

from _socket import socket as Socket

from wherry.client.errors import ClientError, ConnectionFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class ByteStream(Protocol):
        """What a connection needs of a socket."""

        def recv(self, size: int, /) -> bytes: ...
        def sendall(self, data: bytes, /) -> None: ...
        def shutdown(self, how: int, /) -> None: ...
        def close(self) -> None: ...
        def fileno(self) -> int: ...


SHUT_WR = 1
_AF_UNIX = 1
_DEFAULT_PORTS = {"plain": "2375", "tls": "2376"}


class TlsFiles:
    """Where the certificates of a TLS endpoint are, and whether the server is verified."""

    __slots__ = ("ca", "cert", "key", "verify")

    def __init__(self, ca: str, cert: str, key: str, verify: bool) -> None:
        self.ca, self.cert, self.key, self.verify = ca, cert, key, verify


class Endpoint:
    """An engine's address, parsed."""

    __slots__ = ("address", "host", "scheme", "tls")

    def __init__(self, host: str, tls: TlsFiles | None = None) -> None:
        scheme, separator, address = host.partition("://")
        if not separator:
            scheme, address = "tcp", host
        if scheme in ("http", "https"):
            scheme = "tcp"
        if scheme not in ("unix", "tcp", "ssh", "fd"):
            raise ClientError(f"unable to parse docker host `{host}`")
        self.host = host if separator else f"tcp://{host}"
        self.scheme, self.address, self.tls = scheme, address, tls

    @property
    def http_host(self) -> str:
        """The Host header: what the docker client sends on a local socket."""
        return self.address.split("/", 1)[0] if self.scheme == "tcp" else "api.moby.localhost"

    def dial(self) -> ByteStream:
        """Connects; raises ConnectionFailed with docker's words."""
        if self.scheme == "unix":
            return self._dial_unix()
        if self.scheme == "ssh":
            from wherry.client.ssh import dial_ssh

            return dial_ssh(self.address)
        return self._dial_tcp()

    def _dial_unix(self) -> ByteStream:
        stream = Socket(_AF_UNIX)
        try:
            stream.connect(self.address)
        except PermissionError as error:
            stream.close()
            raise ConnectionFailed(
                "permission denied while trying to connect to the Docker daemon socket at "
                f"{self.host}: dial unix {self.address}: connect: permission denied"
            ) from error
        except OSError as error:
            stream.close()
            raise self.unreachable() from error
        return stream

    def _dial_tcp(self) -> ByteStream:
        import socket

        name, _, port = self.address.split("/", 1)[0].rpartition(":")
        if not name or not port.isdigit():
            name = self.address.split("/", 1)[0]
            port = _DEFAULT_PORTS["tls" if self.tls else "plain"]
        try:
            stream = socket.create_connection((name.strip("[]"), int(port)))
        except socket.gaierror as error:
            raise ConnectionFailed(
                f"error during connect: dial tcp: lookup {name}: no such host"
            ) from error
        except OSError as error:
            raise self.unreachable() from error
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.tls:
            from wherry.client.tls import wrap

            return wrap(stream, name.strip("[]"), self.tls)
        return stream

    def unreachable(self) -> ConnectionFailed:
        """The error that says nobody answers at this address."""
        return ConnectionFailed(
            f"Cannot connect to the Docker daemon at {self.host}. Is the docker daemon running?"
        )


def default_socket() -> str:
    """The address used where nothing names another."""
    return "unix:///run/wherry/wherry.sock"
