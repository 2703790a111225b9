"""Writing a container's log: one file, rotated by size, older files compressed on request."""

import os
import time
from collections import deque

from wherry.store.logs.record import LineSplitter, encode


class LogWriter:
    """Appends records to `path`; `path.1` is the newest of the older files.

    `max_size` in bytes (-1: never rotate), `max_file` counts the present file too. What cannot be
    written, as on a full disk, is lost; in non-blocking mode it waits for the next record, in at
    most `buffer_size` bytes of which the oldest are dropped first.
    """

    def __init__(
        self, path: str, *, max_size: int = -1, max_file: int = 1, compress: bool = False,
        attributes: dict[str, str] | None = None, buffer_size: int = 0,
    ) -> None:  # fmt: skip
        self._path = path
        self._max_size = max_size
        self._max_file = max(max_file, 1)
        self._compress = compress
        self._attributes = attributes or {}
        self._buffer_size = buffer_size
        self._waiting: deque[bytes] = deque()
        self._waiting_size = 0
        self._splitters: dict[str, LineSplitter] = {}
        self._descriptor = self._open()

    def _open(self) -> int:
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        descriptor = os.open(self._path, flags, 0o640)
        self.size = os.fstat(descriptor).st_size
        if self.size and os.pread(descriptor, 1, self.size - 1) != b"\n":
            # A monitor died in the middle of a record: close its line, so that the next is whole.
            self.size += os.write(descriptor, b"\n")
        return descriptor

    def configure(
        self, *, max_size: int, max_file: int, compress: bool, buffer_size: int,
        attributes: dict[str, str],
    ) -> None:  # fmt: skip
        """Changes a live log: what is written from now on, and when it rotates."""
        self._max_size, self._max_file = max_size, max(max_file, 1)
        self._compress, self._buffer_size = compress, buffer_size
        self._attributes = attributes
        if not buffer_size:
            self.flush()

    def write(self, stream: str, data: bytes) -> None:
        """Takes output of a stream; whole lines become records at once."""
        splitter = self._splitters.setdefault(stream, LineSplitter())
        now = time.time_ns()
        pieces = splitter.feed(data)
        if pieces:
            self._emit(b"".join(encode(piece, stream, now, self._attributes) for piece in pieces))

    def flush(self) -> None:
        """Writes what waits in memory (non-blocking mode)."""
        while self._waiting:
            records = self._waiting.popleft()
            self._waiting_size -= len(records)
            rest = self._append(records)
            if rest:
                self._waiting.appendleft(rest)
                self._waiting_size += len(rest)
                return

    def close(self) -> None:
        """Writes unfinished lines and closes the file."""
        now = time.time_ns()
        for stream, splitter in self._splitters.items():
            rest = splitter.finish()
            if rest:
                self._emit(encode(rest, stream, now, self._attributes))
        self.flush()
        os.close(self._descriptor)

    def _emit(self, records: bytes) -> None:
        if not self._buffer_size:
            self._append(records)
            return
        self._waiting.append(records)
        self._waiting_size += len(records)
        while self._waiting_size > self._buffer_size and len(self._waiting) > 1:
            self._waiting_size -= len(self._waiting.popleft())
        self.flush()

    def _append(self, records: bytes) -> bytes:
        """Writes whole records, rotating where they are too many; what could not be written."""
        if self._max_size <= 0 or self.size + len(records) <= self._max_size:
            return b"" if self._put(records) else records
        lines = records.splitlines(keepends=True)
        for number, record in enumerate(lines):
            if self.size and self.size + len(record) > self._max_size:
                self._rotate()
            if not self._put(record):
                return b"".join(lines[number:])
        return b""

    def _put(self, records: bytes) -> bool:
        """Whether there was room; on a full disk the file stays whole, and the container runs."""
        try:
            written = os.write(self._descriptor, records)
        except OSError:
            written = 0
        if written < len(records):
            os.ftruncate(self._descriptor, self.size)
            return False
        self.size += written
        return True

    def _rotate(self) -> None:
        os.close(self._descriptor)
        if self._max_file < 2:
            os.truncate(self._path, 0)
        else:
            self._shift()
            os.rename(self._path, f"{self._path}.1")
            if self._compress:
                _compress(f"{self._path}.1")
        self._descriptor = self._open()

    def _shift(self) -> None:
        for number in range(self._max_file - 1, 0, -1):
            for suffix in ("", ".gz"):
                old = f"{self._path}.{number}{suffix}"
                if not os.path.exists(old):
                    continue
                if number == self._max_file - 1:
                    os.unlink(old)
                else:
                    os.rename(old, f"{self._path}.{number + 1}{suffix}")


def _compress(path: str) -> None:
    """Replaces a file by its gzip, whole or not at all."""
    import gzip
    import shutil

    temporary = f"{path}.gz.tmp"
    try:
        with (
            open(path, "rb") as source,
            open(temporary, "wb", opener=_private) as file,
            gzip.GzipFile(os.path.basename(path), "wb", 5, file) as target,
        ):
            shutil.copyfileobj(source, target)
    except OSError:  # a full disk: it stays as it is
        if os.path.exists(temporary):
            os.unlink(temporary)
        return
    os.rename(temporary, f"{path}.gz")
    os.unlink(path)


def _private(path: str, flags: int) -> int:
    """Opens a file as readable as the log that it is made of, or less."""
    return os.open(path, flags, 0o640)
