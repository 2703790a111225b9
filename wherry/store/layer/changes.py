"""What a writable layer changed, as `docker diff` tells it.

A task. Names are looked up by descriptor and links are never followed, so that a hostile tree leads
nowhere.
"""

import os
import stat
from collections.abc import Callable

import msgspec

from wherry.linux.overlay import overlay

MODIFIED, ADDED, DELETED = 0, 1, 2
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_OPAQUE = "trusted.overlay.opaque"


class ChangesRequest(msgspec.Struct, frozen=True):
    """Directories of the layers below (top first) and of the writable one.

    `complete`: the writable one holds everything, as without a union file system.
    """

    lower: tuple[str, ...]
    upper: str
    complete: bool = False


class Change(msgspec.Struct, frozen=True, rename="pascal"):
    """A path from the root, and 0 for modified, 1 for added, 2 for deleted."""

    path: str
    kind: int


def changes_task(
    parameters: bytes, descriptors: list[int], report: Callable[[bytes], None]
) -> bytes:
    """The changes, by path, as JSON."""
    request = msgspec.json.decode(parameters, type=ChangesRequest)
    lower = _open_lower(request.lower)
    upper = os.open(request.upper, _DIRECTORY)
    found = _Comparison(request.complete).changes(lower, upper)
    return msgspec.json.encode(sorted(found, key=lambda change: change.path))


def _open_lower(layers: tuple[str, ...]) -> int | None:
    if not layers:
        return None
    if len(layers) == 1:
        return os.open(layers[0], _DIRECTORY)
    mounted = overlay((), lower=layers)  # names a mount; its root must be opened to be read
    try:
        return os.open(".", _DIRECTORY, dir_fd=mounted)
    finally:
        os.close(mounted)


class _Comparison:
    def __init__(self, complete: bool) -> None:
        self._complete = complete

    def changes(self, lower: int | None, upper: int, path: str = "") -> list[Change]:
        """What differs below one directory; a changed directory itself is its caller's."""
        before = set(os.listdir(lower)) if lower is not None else set()
        now = os.listdir(upper)
        found: list[Change] = []
        if self._complete or _is_opaque(upper):
            found += [Change(f"{path}/{name}", DELETED) for name in before.difference(now)]
        for name in now:
            child = f"{path}/{name}"
            new = os.stat(name, dir_fd=upper, follow_symlinks=False)
            old = _stat(lower, name) if name in before else None
            if stat.S_ISCHR(new.st_mode) and new.st_rdev == 0 and not self._complete:
                if old is not None:
                    found.append(Change(child, DELETED))
                continue
            found += self._entry(child, name, lower if old else None, upper, old, new)
        return found

    def _entry(
        self, path: str, name: str, lower: int | None, upper: int,
        old: os.stat_result | None, new: os.stat_result,
    ) -> list[Change]:  # fmt: skip
        inner: list[Change] = []
        if stat.S_ISDIR(new.st_mode):
            was_directory = old is not None and stat.S_ISDIR(old.st_mode)
            inner = self._below(path, name, lower if was_directory else None, upper)
        if old is None:
            return [Change(path, ADDED), *inner]
        if inner or _differs(old, new):
            return [Change(path, MODIFIED), *inner]
        return []

    def _below(self, path: str, name: str, lower: int | None, upper: int) -> list[Change]:
        new = os.open(name, _DIRECTORY, dir_fd=upper)
        old = os.open(name, _DIRECTORY, dir_fd=lower) if lower is not None else None
        try:
            return self.changes(old, new, path)
        finally:
            os.close(new)
            if old is not None:
                os.close(old)


def _is_opaque(directory: int) -> bool:
    return _OPAQUE in os.listxattr(directory) and os.getxattr(directory, _OPAQUE) == b"y"


def _stat(directory: int | None, name: str) -> os.stat_result | None:
    try:
        return os.stat(name, dir_fd=directory, follow_symlinks=False) if directory else None
    except FileNotFoundError:
        return None


def _differs(old: os.stat_result, new: os.stat_result) -> bool:
    """Whether an entry is not what it was; times and sizes of directories say nothing."""
    if (old.st_mode, old.st_uid, old.st_gid, old.st_rdev) != (
        new.st_mode, new.st_uid, new.st_gid, new.st_rdev,
    ):  # fmt: skip
        return True
    if stat.S_ISDIR(new.st_mode):
        return False
    return (old.st_size, old.st_mtime_ns) != (new.st_size, new.st_mtime_ns)
