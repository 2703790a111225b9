"""Reading a container's log: across rotated files, by time, from the end, and as it grows."""

import gzip
import os
from collections import deque
from collections.abc import Iterator
from typing import IO

from wherry.base.clock import parse_rfc3339
from wherry.linux.inotify import IN_CREATE, IN_MODIFY, IN_MOVED_FROM, Inotify
from wherry.store.logs.record import LogEntry, decode
from wherry.store.logs.search import LineSearch, Matches


class LogReader:
    """The records of a log at `path` and of its older files."""

    def __init__(self, path: str) -> None:
        self._path = path

    def entries(
        self, *, tail: int | None = None, since: int = 0, until: int = 0, end: int | None = None,
        matches: Matches | None = None,
    ) -> Iterator[LogEntry]:  # fmt: skip
        """Records, oldest first; `since` and `until` in nanoseconds since the epoch, 0 for none.

        `tail` is how many of the last ones; `end` is a size of the present file to stop at;
        `matches` is what lines must be like.
        """
        entries = self._all(end)
        if since:
            entries = (entry for entry in entries if parse_rfc3339(entry.time) >= since)
        if until:
            entries = (entry for entry in entries if parse_rfc3339(entry.time) <= until)
        if matches:
            entries = _matching(entries, matches)
        if tail is None or tail < 0:
            return entries
        return iter(_last(entries, tail))

    def size(self) -> int:
        """Bytes of the present file."""
        try:
            return os.stat(self._path).st_size
        except FileNotFoundError:
            return 0

    def _all(self, end: int | None) -> Iterator[LogEntry]:
        for path in [*older_files(self._path), self._path]:
            limit = end if path == self._path else None
            try:
                yield from _read_file(path, limit)
            except FileNotFoundError:
                continue  # rotated away while it was read


def _matching(entries: Iterator[LogEntry], matches: Matches) -> Iterator[LogEntry]:
    search = LineSearch(matches)
    yield from search.feed(entries)
    yield from search.finish()


def _last(entries: Iterator[LogEntry], count: int) -> list[LogEntry]:
    """The records of the last `count` lines; parts of one long line count once."""
    if count == 0:
        return []
    kept: deque[list[LogEntry]] = deque(maxlen=count)
    fresh = True
    for entry in entries:
        if fresh:
            kept.append([])
        kept[-1].append(entry)
        fresh = entry.log.endswith("\n")
    return [entry for line in kept for entry in line]


def older_files(path: str) -> list[str]:
    """Rotated files of a log, oldest first."""
    found: list[str] = []
    number = 1
    while True:
        names = [
            name for name in (f"{path}.{number}", f"{path}.{number}.gz") if os.path.exists(name)
        ]
        if not names:
            return found[::-1]
        found.append(names[0])
        number += 1


def _read_file(path: str, limit: int | None) -> Iterator[LogEntry]:
    with _open(path) as file:
        done = 0
        for line in file:
            done += len(line)
            if not line.endswith(b"\n") or (limit is not None and done > limit):
                return
            entry = decode(line)
            if entry is not None:
                yield entry


def _open(path: str) -> IO[bytes] | gzip.GzipFile:
    if path.endswith(".gz"):
        return gzip.GzipFile(path, "rb")
    return open(path, "rb")


class LogFollower:
    """New records as they are written; keeps reading a file that is rotated away to its end."""

    def __init__(self, path: str, offset: int = 0) -> None:
        """Begins at `offset` of the present file."""
        self._path = path
        self._inotify = Inotify()
        self._inotify.watch(os.path.dirname(path), IN_MODIFY | IN_CREATE | IN_MOVED_FROM)
        self._file: IO[bytes] | None = None
        self._rest = b""
        self._open(offset)

    def fileno(self) -> int:
        """Readable when there may be new records."""
        return self._inotify.fileno()

    def read(self) -> list[LogEntry]:
        """The records written since the last call."""
        self._inotify.read()
        entries = self._drain()
        while self._rotated():
            entries += self._drain()
            self._rest = b""
            self._open(0)
            entries += self._drain()
        return entries

    def close(self) -> None:
        """Ends the watch."""
        self._inotify.close()
        if self._file:
            self._file.close()

    def _open(self, offset: int) -> None:
        if self._file:
            self._file.close()
        try:
            self._file = open(self._path, "rb")  # noqa: SIM115 - closed by close()
            self._file.seek(offset)
        except FileNotFoundError:
            self._file = None

    def _rotated(self) -> bool:
        try:
            present = os.stat(self._path)
        except FileNotFoundError:
            return False
        if self._file is None:
            return True
        held = os.fstat(self._file.fileno())
        return (held.st_ino, held.st_dev) != (present.st_ino, present.st_dev)

    def _drain(self) -> list[LogEntry]:
        if self._file is None:
            return []
        if os.fstat(self._file.fileno()).st_size < self._file.tell():
            self._file.seek(0)  # truncated: a log of a single file begins anew
            self._rest = b""
        lines = (self._rest + self._file.read()).split(b"\n")
        self._rest = lines.pop()
        return [entry for line in lines if (entry := decode(line)) is not None]
