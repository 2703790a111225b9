"""TLS in front of a protocol, with half-close: a client that sends no more may still read.

asyncio's own TLS ends the connection when the peer's close_notify comes (RFC 8446, section 6.1,
does not ask for that), which would cut the output of `docker run -i` whose input ended.
"""

import asyncio
import ssl
from typing import Any

_HANDSHAKE_SECONDS = 30.0
_PIECE = 1 << 16
_PLAIN = b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"
"""What a client without TLS is told, in the words of Go's net/http, which clients show."""


class TlsTermination(asyncio.Protocol):
    """The protocol of the raw connection; `inner` sees a `TlsTransport` once hands are shaken."""

    def __init__(self, context: ssl.SSLContext, inner: asyncio.Protocol) -> None:
        """A server's side with the context's certificate."""
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self.tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self.inner: asyncio.BaseProtocol = inner
        self.raw: asyncio.Transport | None = None
        self._facade: TlsTransport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._reading = True
        self._eof = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client came: it has a bounded time to shake hands."""
        assert isinstance(transport, asyncio.Transport)
        self.raw = transport
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(_HANDSHAKE_SECONDS, transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        if self._timer:
            self._timer.cancel()
        if self._facade:
            self.inner.connection_lost(exc)
        self.raw = None

    def data_received(self, data: bytes) -> None:
        """Records came."""
        self._incoming.write(data)
        self._advance()

    def eof_received(self) -> bool:
        """The raw connection ended, with or without a close_notify."""
        if self._facade and not self._eof:
            self._end_of_input()
        return self._facade is not None and self.raw is not None

    def pause_writing(self) -> None:
        """The client reads slowly."""
        if self._facade:
            self.inner.pause_writing()

    def resume_writing(self) -> None:
        """The client has read."""
        if self._facade:
            self.inner.resume_writing()

    def set_reading(self, reading: bool) -> None:
        """Stops or continues handing plain bytes to the inner protocol."""
        self._reading = reading
        if self.raw is None or self.raw.is_closing():
            return
        if reading:
            self.raw.resume_reading()
            asyncio.get_running_loop().call_soon(self._advance)
        else:
            self.raw.pause_reading()

    def flush(self) -> None:
        """Sends what was encrypted."""
        data = self._outgoing.read()
        if data and self.raw and not self.raw.is_closing():
            self.raw.write(data)

    def _advance(self) -> None:
        try:
            if self._facade is None:
                self.tls.do_handshake()
                self._begin()
            while self._reading and not self._eof:
                data = self.tls.read(_PIECE)
                if not data:
                    self._end_of_input()
                    break
                self._to_inner(data)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass  # the rest of a record is still on its way
        except ssl.SSLZeroReturnError:
            self._end_of_input()
        except ssl.SSLError as error:
            self.flush()  # the alert that says why
            if self.raw:
                if error.reason == "HTTP_REQUEST":
                    self.raw.write(_PLAIN)
                self.raw.close()
            return
        self.flush()

    def _begin(self) -> None:
        if self._timer:
            self._timer.cancel()
        self._facade = TlsTransport(self)
        self.inner.connection_made(self._facade)

    def _to_inner(self, data: bytes) -> None:
        assert isinstance(self.inner, asyncio.Protocol)
        self.inner.data_received(data)

    def _end_of_input(self) -> None:
        self._eof = True
        assert isinstance(self.inner, asyncio.Protocol)
        if not self.inner.eof_received() and self._facade:
            self._facade.close()


class TlsTransport(asyncio.Transport):
    """What the inner protocol writes to."""

    def __init__(self, owner: TlsTermination) -> None:
        """Writes through `owner`."""
        super().__init__()
        self._owner = owner
        self._closing = False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """`ssl_object` and `sslcontext`, else what the raw connection tells."""
        if name == "ssl_object":
            return self._owner.tls
        if name == "sslcontext":
            return self._owner.tls.context
        if name == "peercert":
            return self._owner.tls.getpeercert()
        return self._owner.raw.get_extra_info(name, default) if self._owner.raw else default

    def get_protocol(self) -> asyncio.BaseProtocol:
        """The inner protocol."""
        return self._owner.inner

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Replaces the inner protocol."""
        self._owner.inner = protocol

    def is_closing(self) -> bool:
        """Whether nothing more can be written."""
        return self._closing or self._owner.raw is None or self._owner.raw.is_closing()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Encrypts and sends."""
        if self.is_closing():
            return
        view = memoryview(data).cast("B")
        while view:
            view = view[self._owner.tls.write(view) :]
        self._owner.flush()

    def can_write_eof(self) -> bool:
        """Ends are sent by closing only."""
        return False

    def close(self) -> None:
        """Says goodbye after what is buffered, and closes."""
        if self.is_closing():
            return
        self._closing = True
        try:
            self._owner.tls.unwrap()
        except ssl.SSLError:
            pass  # the goodbye is written; the other side's is not waited for
        self._owner.flush()
        if self._owner.raw:
            self._owner.raw.close()

    def abort(self) -> None:
        """Closes at once."""
        self._closing = True
        if self._owner.raw:
            self._owner.raw.abort()

    def pause_reading(self) -> None:
        """Hands nothing more to the inner protocol."""
        self._owner.set_reading(False)

    def resume_reading(self) -> None:
        """Hands bytes on again."""
        self._owner.set_reading(True)

    def is_reading(self) -> bool:
        """Whether bytes are handed on."""
        return self._owner.raw is not None and self._owner.raw.is_reading()

    def get_write_buffer_size(self) -> int:
        """Bytes that wait to be sent."""
        return self._owner.raw.get_write_buffer_size() if self._owner.raw else 0

    def get_write_buffer_limits(self) -> tuple[int, int]:
        """The raw connection's limits."""
        return self._owner.raw.get_write_buffer_limits() if self._owner.raw else (0, 0)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Sets the raw connection's limits."""
        if self._owner.raw:
            self._owner.raw.set_write_buffer_limits(high, low)
