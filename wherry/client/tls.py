"""TLS on a connection to an engine; imported only when an endpoint asks for it."""

from __future__ import annotations

import os
import ssl

from wherry.client.errors import ConnectionFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket

    from wherry.client.transport import TlsFiles


class TlsStream(ssl.SSLSocket):
    """A TLS socket whose direction to the engine can end while the other goes on."""

    def shutdown(self, how: int, /) -> None:
        """Sends close_notify; `SSLSocket.shutdown` would read on without decrypting."""
        self.settimeout(0)
        try:
            self.unwrap()
        except ssl.SSLError:
            pass  # the engine's own close_notify, which unwrap would wait for, comes later
        finally:
            self.settimeout(None)

    def recv(self, size: int = 65536, flags: int = 0) -> bytes:
        """Some bytes; none at the end, also where we ended our own direction before."""
        try:
            return super().recv(size, flags)
        except ssl.SSLZeroReturnError:
            return b""


def wrap(stream: socket.socket, name: str, files: TlsFiles) -> ssl.SSLSocket:
    """The stream in TLS, the client's certificate shown where there is one."""
    context = ssl.create_default_context()
    context.sslsocket_class = TlsStream
    if files.verify:
        if os.path.exists(files.ca):
            context.load_verify_locations(files.ca)
    else:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    try:
        if os.path.exists(files.cert) or os.path.exists(files.key):
            context.load_cert_chain(files.cert, files.key)
        return context.wrap_socket(stream, server_hostname=name)
    except (ssl.SSLError, OSError) as error:
        stream.close()
        raise ConnectionFailed(f"error during connect: tls: {error}") from error
