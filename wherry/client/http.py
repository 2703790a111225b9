"""HTTP/1.1 for one engine, on a bare stream: heads, lengths, chunks and the upgrade to raw bytes.

RFC 9112, and of it what an Engine API speaks. `http.client` would cost the CLI's start more than
everything else together.
"""

from __future__ import annotations

from wherry.client.errors import ClientError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from wherry.client.transport import ByteStream

_READ = 65536
_MAX_HEAD = 1 << 20


class Connection:
    """One stream to the engine and the bytes read ahead of their use."""

    def __init__(self, stream: ByteStream) -> None:
        self.stream = stream
        self._ahead = b""

    def send(self, method: str, target: str, headers: Mapping[str, str], body: Body = None) -> None:
        """Writes a request; an iterable body goes out in chunks."""
        lines = [f"{method} {target} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if isinstance(body, bytes):
            lines.append(f"Content-Length: {len(body)}")
        elif body is not None:
            lines.append("Transfer-Encoding: chunked")
        elif method in ("POST", "PUT"):
            lines.append("Content-Length: 0")
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")
        if isinstance(body, bytes):
            self.stream.sendall(head + body)
            return
        self.stream.sendall(head)
        if body is not None:
            self._send_chunks(body)

    def _send_chunks(self, body: Iterable[bytes]) -> None:
        for part in body:
            if part:
                self.stream.sendall(b"%x\r\n%b\r\n" % (len(part), part))
        self.stream.sendall(b"0\r\n\r\n")

    def read_head(self, method: str = "GET") -> Response:
        """Waits for the head of the answer; 1xx other than 101 are passed over."""
        while True:
            head = self._until(b"\r\n\r\n")
            first, *rest = head.decode("latin-1").split("\r\n")
            parts = first.split(" ", 2)
            if len(parts) < 2 or not parts[0].startswith("HTTP/1.") or not parts[1].isdigit():
                raise ClientError(f"malformed HTTP response {first!r}")
            status = int(parts[1])
            if status != 100 and status != 102:
                break
        headers: dict[str, str] = {}
        for line in rest:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        return Response(self, method, status, headers)

    def _until(self, mark: bytes) -> bytes:
        data = self._ahead
        while (end := data.find(mark)) < 0:
            more = self.stream.recv(_READ)
            if not more:
                raise EOFError("the connection was closed")
            data += more
            if len(data) > _MAX_HEAD:
                raise ClientError("the answer's head is too long")
        self._ahead = data[end + len(mark) :]
        return data[:end]

    def read(self, size: int = _READ) -> bytes:
        """Some bytes, those read ahead first; none at the end of the stream."""
        if self._ahead:
            data, self._ahead = self._ahead[:size], self._ahead[size:]
            return data
        return self.stream.recv(size)

    @property
    def buffered(self) -> bool:
        """Whether bytes are here already that polling the descriptor would not show."""
        if self._ahead:
            return True
        pending = getattr(self.stream, "pending", None)
        return bool(pending and pending())

    def close(self) -> None:
        """Closes the stream."""
        self.stream.close()


class Response:
    """The head of an answer, and its body as it comes."""

    def __init__(
        self, connection: Connection, method: str, status: int, headers: dict[str, str]
    ) -> None:
        self.connection = connection
        self.status = status
        self.headers = headers
        self.done = False
        self._left: int | None = None
        self._chunked = False
        if method == "HEAD" or status in (101, 204, 304):
            self.done = True
        elif "chunked" in headers.get("transfer-encoding", "").lower():
            self._chunked, self._left = True, 0
        elif "content-length" in headers:
            self._left = int(headers["content-length"])
            self.done = self._left == 0

    @property
    def reusable(self) -> bool:
        """Whether another request may follow on this connection."""
        closing = self.headers.get("connection", "").lower() == "close"
        return self.done and not closing and self.status != 101

    def read_some(self) -> bytes:
        """The next bytes of the body, as soon as there are any; none at its end."""
        if self.done:
            return b""
        if self._chunked and self._left == 0:
            size = int(self.connection._until(b"\r\n").split(b";")[0] or b"0", 16)
            if size == 0:
                while self.connection._until(b"\r\n"):
                    pass
                self.done = True
                return b""
            self._left = size
        data = self.connection.read(_READ if self._left is None else min(_READ, self._left))
        if not data:
            self.done = True
            if self._left:
                raise EOFError("unexpected EOF")
            self.headers["connection"] = "close"
            return b""
        if self._left is not None:
            self._left -= len(data)
            if self._chunked and self._left == 0:
                self.connection._until(b"\r\n")
            elif self._left == 0:
                self.done = True
        return data

    def chunks(self) -> Iterator[bytes]:
        """The body in pieces."""
        while data := self.read_some():
            yield data

    def read(self) -> bytes:
        """The whole body."""
        return b"".join(self.chunks())

    def close(self) -> None:
        """Gives the connection up, whatever is left of the body."""
        self.connection.close()


if TYPE_CHECKING:
    Body = bytes | Iterable[bytes] | None
