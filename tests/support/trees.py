"""File trees as values, to be compared."""

import hashlib
import os
import stat
from pathlib import Path
from typing import Any


def describe(root: Path, *, without: frozenset[str] = frozenset()) -> dict[str, dict[str, Any]]:
    """Everything below a directory, on its file system, by path: kind, owner, times, content.

    Hard links are told by the first path with the same inode.
    """
    found: dict[str, dict[str, Any]] = {}
    first: dict[tuple[int, int], str] = {}
    device = os.stat(root).st_dev
    stack = [""]
    while stack:
        below = stack.pop()
        for name in sorted(os.listdir(root / below)):
            path = os.path.join(below, name)
            full = root / path
            info = os.lstat(full)
            if path in without or info.st_dev != device:
                continue
            found[path] = _describe(full, info)
            if not stat.S_ISDIR(info.st_mode) and info.st_nlink > 1:
                found[path]["link"] = first.setdefault((info.st_dev, info.st_ino), path)
            if stat.S_ISDIR(info.st_mode):
                stack.append(path)
    return found


def _describe(path: Path, info: os.stat_result) -> dict[str, Any]:
    described: dict[str, Any] = {
        "mode": oct(info.st_mode), "owner": (info.st_uid, info.st_gid), "mtime": info.st_mtime_ns,
    }  # fmt: skip
    if stat.S_ISLNK(info.st_mode):
        described["target"] = os.readlink(path)
        return described
    described["xattrs"] = {name: os.getxattr(path, name) for name in os.listxattr(path)
                           if not name.startswith("trusted.overlay.")}  # fmt: skip
    if stat.S_ISREG(info.st_mode):
        described["content"] = hashlib.sha256(path.read_bytes()).hexdigest()
    elif not stat.S_ISDIR(info.st_mode):
        described["device"] = info.st_rdev
    return described
