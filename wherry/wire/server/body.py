"""Where a request's body ends: by Content-Length, or chunk by chunk (RFC 9112, section 7.1)."""


class BodyLength:
    """Counts the bytes of one body without keeping them."""

    def __init__(self, length: int, chunked: bool) -> None:
        """`length` counts only if the body is not chunked."""
        self._left = length
        self._chunked = chunked
        self._line = b""
        self._trailer = False
        self.done = not chunked and length == 0

    def take(self, data: bytes) -> int:
        """How many of these bytes belong to the body."""
        if not self._chunked:
            used = min(self._left, len(data))
            self._left -= used
            self.done = self._left == 0
            return used
        position = 0
        while position < len(data) and not self.done:
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
            return len(data)
        line = (self._line + data[position:end]).strip()
        self._line = b""
        if self._trailer:
            self.done = not line
        elif line:
            try:
                size = int(line.partition(b";")[0], 16)
            except ValueError:
                size = 0  # the server answers 400; nothing after it is trusted
            self._trailer = size == 0
            self._left = size
        return end + 1
