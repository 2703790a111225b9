"""What directories hold, in bytes."""

import os
import stat
from pathlib import Path


def directory_size(path: Path) -> int:
    """Bytes of the files below a directory, hard links once."""
    seen: set[tuple[int, int]] = set()
    total = 0
    stack = [str(path)]
    while stack:
        try:
            entries = list(os.scandir(stack.pop()))
        except FileNotFoundError:
            continue
        for entry in entries:
            try:
                found = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue
            if entry.is_dir(follow_symlinks=False):
                stack.append(entry.path)
            elif (found.st_dev, found.st_ino) not in seen:
                seen.add((found.st_dev, found.st_ino))
                total += found.st_size
    return total


def added_size(lower: Path, upper: Path) -> int:
    """Bytes of the files below `upper` that are not the same below `lower`."""
    total = 0
    stack = [""]
    while stack:
        below = stack.pop()
        try:
            entries = list(os.scandir(upper / below))
        except FileNotFoundError:
            continue
        for entry in entries:
            name = os.path.join(below, entry.name)
            try:
                found = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue
            if stat.S_ISDIR(found.st_mode):
                stack.append(name)
            elif _differs(lower / name, found):
                total += found.st_size
    return total


def _differs(path: Path, found: os.stat_result) -> bool:
    try:
        old = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    return (old.st_size, old.st_mtime_ns) != (found.st_size, found.st_mtime_ns)
