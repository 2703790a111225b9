"""Where a request's body ends: by Content-Length, or chunk by chunk (RFC 9112, section 7.1)."""

import re

_SIZE = re.compile(rb"[0-9a-fA-F]{1,15}")
_LINE_LIMIT = 4096
"""Bytes of the line before a chunk, as many as Go takes."""


class BodyLength:
    """Counts the bytes of one body without keeping them."""

    def __init__(self, length: int, chunked: bool) -> None:
        """`length` counts only if the body is not chunked; `broken` chunks have no end."""
        self._left = 0 if chunked else length
        self._chunked = chunked
        self._line = b""
        self._trailer = False
        self.done = not chunked and length == 0
        self.broken = False

    def take(self, data: bytes) -> int:
        """How many of these bytes belong to the body."""
        if not self._chunked:
            used = min(self._left, len(data))
            self._left -= used
            self.done = self._left == 0
            return used
        position = 0
        while position < len(data) and not self.done and not self.broken:
            position = self._take_chunked(data, position)
        return position

    def _take_chunked(self, data: bytes, position: int) -> int:
        if self._left:
            used = min(self._left, len(data) - position)
            self._left -= used
            return position + used
        end = data.find(b"\n", position)
        if end < 0:
            self._line += data[position:]
            self.broken = len(self._line) > _LINE_LIMIT
            return len(data)
        line = (self._line + data[position:end]).strip()
        self._line = b""
        if self._trailer:
            self.done = not line
        elif line:
            found = _SIZE.fullmatch(line.partition(b";")[0].strip())
            size = int(found[0], 16) if found else 0
            self.broken = not found
            self._trailer = size == 0
            self._left = size
        return end + 1
