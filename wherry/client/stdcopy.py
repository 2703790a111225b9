"""Takes apart the stream in which an engine interleaves stdout and stderr.

Each frame has a head of eight bytes: the stream's number, three zeros, the length (big endian).
"""

from __future__ import annotations

from wherry.client.errors import ClientError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

STDIN, STDOUT, STDERR, SYSTEM_ERROR = 0, 1, 2, 3


class Demultiplexer:
    """Feeds on bytes as they come and gives (stream, bytes) as soon as it can."""

    def __init__(self) -> None:
        self._head = b""
        self._stream = STDOUT
        self._left = 0

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """The payloads in these bytes; a frame may come in several parts."""
        position = 0
        size = len(data)
        while position < size:
            if not self._left:
                wanted = 8 - len(self._head)
                self._head += data[position : position + wanted]
                position += wanted
                if len(self._head) < 8:
                    return
                self._stream = self._head[0]
                self._left = int.from_bytes(self._head[4:8], "big")
                self._head = b""
                if self._stream > SYSTEM_ERROR:
                    raise ClientError(f"Unrecognized input header: {self._stream}")
                continue
            part = data[position : position + self._left]
            position += len(part)
            self._left -= len(part)
            yield self._stream, part
