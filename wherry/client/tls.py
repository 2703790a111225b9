"""TLS on a connection to an engine; imported only when an endpoint asks for it."""

from __future__ import annotations

import os
import ssl
from _thread import allocate_lock

from wherry.client.errors import ConnectionFailed

_PIECE = 1 << 14

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket

    from wherry.client.transport import TlsFiles


class TlsStream:
    """TLS over a socket, whose direction to the engine can end while the other goes on.

    `SSLSocket` cannot: its `unwrap` looks for the engine's close_notify, and loses the data that
    comes in its place. Here everything that came is deciphered before our own goes out. One thread
    may read while another writes.
    """

    def __init__(self, stream: socket.socket, context: ssl.SSLContext, name: str) -> None:
        """Shakes hands; raises ssl.SSLError and OSError."""
        self._stream = stream
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=name)
        self._lock = allocate_lock()
        self._plain = bytearray()
        self._ended = False
        while True:
            try:
                self._tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                self._flush()
                self._feed()
        self._flush()

    def recv(self, size: int, /) -> bytes:
        """Up to `size` bytes; none at the end."""
        while True:
            with self._lock:
                self._decipher()
                if self._plain or self._ended:
                    data = bytes(self._plain[:size])
                    del self._plain[:size]
                    return data
            self._feed()

    def sendall(self, data: bytes, /) -> None:
        """Writes everything."""
        with self._lock:
            view = memoryview(data)
            while view:
                view = view[self._tls.write(view) :]
        self._flush()

    def shutdown(self, how: int, /) -> None:
        """Sends close_notify, after which the engine may send as long as it likes."""
        with self._lock:
            self._decipher()
            try:
                self._tls.unwrap()
            except ssl.SSLError:
                pass  # the engine's own close_notify comes later
        self._flush()

    def close(self) -> None:
        """Ends both directions."""
        self._stream.close()

    def fileno(self) -> int:
        """The descriptor to poll for answers; `pending` ones it does not show."""
        return self._stream.fileno()

    def pending(self) -> int:
        """Bytes that are here already."""
        return len(self._plain)

    def _feed(self) -> None:
        data = self._stream.recv(_PIECE)
        with self._lock:
            if data:
                self._incoming.write(data)
            else:
                self._incoming.write_eof()

    def _flush(self) -> None:
        """Not under the lock: a reader must go on while the engine does not read."""
        with self._lock:
            data = self._outgoing.read()
        if data:
            self._stream.sendall(data)

    def _decipher(self) -> None:
        while not self._ended:
            try:
                data = self._tls.read(_PIECE)
            except ssl.SSLWantReadError:
                return
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                data = b""
            self._plain += data
            self._ended = not data


def wrap(stream: socket.socket, name: str, files: TlsFiles) -> TlsStream:
    """The stream in TLS, the client's certificate shown where there is one."""
    context = ssl.create_default_context()
    if files.verify:
        if os.path.exists(files.ca):
            context.load_verify_locations(files.ca)
    else:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    try:
        if os.path.exists(files.cert) or os.path.exists(files.key):
            context.load_cert_chain(files.cert, files.key)
        return TlsStream(stream, context, name)
    except (ssl.SSLError, OSError) as error:
        stream.close()
        raise ConnectionFailed(f"error during connect: tls: {error}") from error
