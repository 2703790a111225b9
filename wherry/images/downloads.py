"""Blobs on their way: kept until they are used, whoever asked for them, and resumed.

A file by digest in one directory; it survives a cancelled pull, a broken connection and a restart
of the daemon. Two pulls that want one blob share its download.
"""

import contextlib
import hashlib
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from wherry.base.errors import Cancelled, DataCorrupt
from wherry.model.digest import Digest
from wherry.model.docker.progress import moving, standing
from wherry.model.manifest import Descriptor
from wherry.remote.endpoint import RegistrySettings
from wherry.remote.errors import (
    ConnectionBroken,
    RateLimited,
    RegistryBusy,
    RegistryUnreachable,
)
from wherry.remote.registry import Registry

_CANCELLED = "cancelled: what came is kept"
Progress = Callable[[dict[str, Any]], None]
_REPORT_SECONDS = 0.1
_PATIENCE = 60
"""Seconds that a registry may ask to wait; a longer wait is the user's to decide."""


def short(digest: str) -> str:
    """The beginning of a digest, by which progress names a layer."""
    return digest.rpartition(":")[2][:12]


class Downloads:
    """The blobs of all pulls."""

    def __init__(self, directory: Path, settings: RegistrySettings) -> None:
        self._directory = directory
        self._settings = settings
        self._guard = threading.Lock()
        self._locks: dict[str, threading.Lock] = defaultdict(threading.Lock)
        self._users: Counter[str] = Counter()
        self._used: set[str] = set()

    @contextlib.contextmanager
    def held(self, digests: Sequence[str]) -> Iterator[None]:
        """Keeps blobs while a pull needs them; those that `used` named go with the last one."""
        with self._guard:
            self._users.update(digests)
        try:
            yield
        finally:
            with self._guard:
                self._users.subtract(digests)
                for digest in digests:
                    if self._users[digest] <= 0:
                        del self._users[digest]
                        if digest in self._used:
                            self._used.discard(digest)
                            self._path(digest).unlink(missing_ok=True)

    def used(self, digest: str) -> None:
        """Says that a blob's content is elsewhere now."""
        with self._guard:
            self._used.add(digest)

    def forget_unused(self) -> int:
        """Removes what no pull is waiting for; returns the bytes."""
        freed = 0
        with self._guard:
            for path in self._directory.glob("*-*"):
                if path.name.replace("-", ":", 1) not in self._users:
                    freed += path.stat().st_size
                    path.unlink()
        return freed

    def fetch(
        self, registry: Registry, blob: Descriptor, report: Progress, cancelled: Callable[[], bool]
    ) -> Path:
        """Brings a blob to its file, going on where an earlier pull stopped; verified."""
        digest = Digest.parse(blob.digest)
        with self._guard:
            lock = self._locks[digest]
        with lock:
            path = self._path(digest)
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                self._verified(registry, blob, path, report, cancelled)
            finally:
                if blob.size and path.exists() and not path.stat().st_size:
                    path.unlink()
            report(standing("Download complete", short(digest)))
            return path

    def _verified(
        self, registry: Registry, blob: Descriptor, path: Path, report: Progress,
        cancelled: Callable[[], bool],
    ) -> None:  # fmt: skip
        digest = Digest.parse(blob.digest)
        resumed = path.exists()
        self._complete(registry, blob, path, report, cancelled)
        report(standing("Verifying Checksum", short(digest)))
        if not _is(path, digest):
            path.unlink()
            if not resumed:
                raise DataCorrupt(
                    f"filesystem layer verification failed for digest {digest}: the registry "
                    "sent other content"
                )
            # What an earlier pull had left was bad: once more from the start.
            self._complete(registry, blob, path, report, cancelled)
            if not _is(path, digest):
                path.unlink()
                raise DataCorrupt(f"filesystem layer verification failed for digest {digest}")

    def _complete(
        self, registry: Registry, blob: Descriptor, path: Path, report: Progress,
        cancelled: Callable[[], bool],
    ) -> None:  # fmt: skip
        for attempt in range(1, self._settings.attempts + 1):
            try:
                _continue(registry, blob, path, report, cancelled)
                return
            except RateLimited as error:
                if not 0 < error.retry_after <= _PATIENCE or attempt >= self._settings.attempts:
                    raise
                pause(error.retry_after, short(blob.digest), report, cancelled)
                continue
            except (RegistryBusy, RegistryUnreachable):
                if attempt >= self._settings.attempts:
                    raise
            pause(min(2**attempt, 10), short(blob.digest), report, cancelled)

    def _path(self, digest: str) -> Path:
        return self._directory / digest.replace(":", "-")


def _continue(
    registry: Registry, blob: Descriptor, path: Path, report: Progress,
    cancelled: Callable[[], bool],
) -> None:  # fmt: skip
    with path.open("ab") as file:
        done = file.tell()
        if done > blob.size:
            file.truncate(0)
            done = 0
        if done == blob.size:
            return
        pieces, resumed = registry.blob(blob.digest, done)
        if done and not resumed:
            file.truncate(0)
            done = 0
        last = 0.0
        with contextlib.closing(pieces):
            for piece in pieces:
                if cancelled():
                    raise Cancelled(_CANCELLED)
                file.write(piece)
                done += len(piece)
                if done > blob.size:
                    raise DataCorrupt(f"blob {blob.digest} is longer than its manifest says")
                if time.monotonic() - last > _REPORT_SECONDS:
                    last = time.monotonic()
                    report(moving("Downloading", short(blob.digest), done, blob.size))
    if done < blob.size:
        raise ConnectionBroken(f"blob {blob.digest} ended early")


def pause(seconds: int, name: str, report: Progress, cancelled: Callable[[], bool]) -> None:
    """Waits before another attempt, counting down as Docker does; raises Cancelled."""
    for left in range(seconds, 0, -1):
        unit = "second" if left == 1 else "seconds"
        report(standing(f"Retrying in {left} {unit}", name))
        _sleep(1.0, cancelled)


def _sleep(seconds: float, cancelled: Callable[[], bool]) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if cancelled():
            raise Cancelled(_CANCELLED)
        time.sleep(0.1)


def _is(path: Path, digest: Digest) -> bool:
    hashed = hashlib.new(digest.algorithm)
    with path.open("rb") as file:
        while data := file.read(1 << 20):
            hashed.update(data)
    return hashed.hexdigest() == digest.hex
