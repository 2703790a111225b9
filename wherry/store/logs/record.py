"""One record of a container's log, in Docker's json-file format.

A line of output is a line of JSON; a line longer than 16 KiB becomes several records of which only
the last ends in a newline. A record that does not end in a newline itself was torn and counts not.
"""

import msgspec

from wherry.base.clock import rfc3339_nano

PARTIAL_SIZE = 16 * 1024


class LogEntry(msgspec.Struct, frozen=True, omit_defaults=True):
    """A record: the text with its newline if it ends a line, its stream, time, attributes."""

    log: str
    stream: str
    time: str
    attrs: dict[str, str] = {}


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(LogEntry)


def encode(text: bytes, stream: str, nanoseconds: int, attributes: dict[str, str]) -> bytes:
    """The record's line. Bytes that are no UTF-8 become U+FFFD, as in Docker."""
    fields: dict[str, object] = {"log": text.decode("utf-8", "replace"), "stream": stream}
    if attributes:
        fields["attrs"] = attributes
    fields["time"] = rfc3339_nano(nanoseconds)
    return _encoder.encode(fields) + b"\n"


def decode(line: bytes) -> LogEntry | None:
    """The record of a whole line, None if the line is damaged."""
    try:
        return _decoder.decode(line)
    except msgspec.MsgspecError:
        return None


class LineSplitter:
    """Cuts a stream of bytes into lines and parts of at most 16 KiB."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        """The lines, with their newlines, and parts that `data` completes."""
        pieces: list[bytes] = []
        buffer = self._rest + data
        start = 0
        while True:
            end = buffer.find(b"\n", start)
            if end < 0:
                break
            line = buffer[start : end + 1]
            while len(line) > PARTIAL_SIZE:
                pieces.append(line[:PARTIAL_SIZE])
                line = line[PARTIAL_SIZE:]
            pieces.append(line)
            start = end + 1
        rest = buffer[start:]
        while len(rest) >= PARTIAL_SIZE:
            pieces.append(rest[:PARTIAL_SIZE])
            rest = rest[PARTIAL_SIZE:]
        self._rest = rest
        return pieces

    def finish(self) -> bytes:
        """What is left at the end of the stream, without a newline."""
        rest, self._rest = self._rest, b""
        return rest
