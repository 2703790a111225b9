"""A directory tree as a tar archive: what `apply` reads, written.

The order is by name, so that the same tree gives the same bytes. Overlay's own marks become
whiteouts (OCI image specification, layer.md) when asked for.
"""

import hashlib
import io
import os
import stat
import tarfile
from collections.abc import Callable
from typing import Protocol

import msgspec

from wherry.linux.xattr import get_xattr, list_xattrs
from wherry.store.layer.apply import OPAQUE, WHITEOUT

_OVERLAY_XATTRS = ("trusted.overlay.", "user.overlay.")


class DiffResult(msgspec.Struct, frozen=True):
    """Digest and size of the archive, bytes of the files in it."""

    diff_id: str
    size: int
    content_size: int


class Writable(Protocol):
    """A stream that is written from start to end."""

    def write(self, data: bytes, /) -> int:
        """Takes bytes."""


def diff_task(parameters: bytes, descriptors: list[int], report: Callable[[bytes], None]) -> bytes:
    """Writes the layer of an overlay's upper directory (descriptor 1) to descriptor 0.

    With a third descriptor the directory is a whole tree, and the layer what differs from that one.
    """
    target, root, *below = descriptors
    with io.BufferedWriter(io.FileIO(target, "w"), 1 << 20) as file:
        stream = _Hashing(file)
        os.fchdir(root)
        os.chroot(".")
        if below:
            content = write_difference(stream, below[0])
        else:
            content = write_tree(stream, whiteouts=True)
        file.flush()
    return msgspec.json.encode(DiffResult(stream.digest(), stream.size, content))


class _Hashing:
    """Writes through: counts and hashes."""

    def __init__(self, target: Writable) -> None:
        self._target = target
        self._hash = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes) -> int:
        self._hash.update(data)
        self.size += len(data)
        self._target.write(data)
        return len(data)

    def digest(self) -> str:
        return f"sha256:{self._hash.hexdigest()}"


def write_tree(stream: Writable, *, whiteouts: bool, top: str = ".") -> int:
    """Writes everything below `top`; returns the bytes of the files' content.

    Sockets have no place in an archive and are left out, as everywhere.
    """
    with tarfile.open(fileobj=stream, mode="w|", format=tarfile.PAX_FORMAT,  # type: ignore[call-overload]
                      bufsize=1 << 18) as archive:  # fmt: skip
        writer = _TreeWriter(archive, whiteouts)
        writer.add_directory(top, "")
        return writer.content


def write_difference(stream: Writable, lower: int) -> int:
    """Writes what the present directory has that the open one has not, as `write_tree`."""
    with tarfile.open(fileobj=stream, mode="w|", format=tarfile.PAX_FORMAT,  # type: ignore[call-overload]
                      bufsize=1 << 18) as archive:  # fmt: skip
        writer = _TreeWriter(archive, whiteouts=False)
        writer.add_difference(".", "", lower)
        return writer.content


def write_path(stream: Writable, path: str, name: str) -> None:
    """Writes a path, with everything below it, under a name; that of the root is `/`."""
    with tarfile.open(fileobj=stream, mode="w|", format=tarfile.PAX_FORMAT,  # type: ignore[call-overload]
                      bufsize=1 << 18) as archive:  # fmt: skip
        _TreeWriter(archive, whiteouts=False).add(path, name)


class _TreeWriter:
    """Remembers the names of files with several."""

    def __init__(self, archive: tarfile.TarFile, whiteouts: bool) -> None:
        self._archive = archive
        self._whiteouts = whiteouts
        self._links: dict[tuple[int, int], str] = {}
        self._pending: list[tuple[str, str, os.stat_result]] = []
        self.content = 0

    def add_difference(self, path: str, name: str, lower: int) -> None:
        """Writes what is not the same below an open directory; unchanged parents only if needed."""
        before, now = set(os.listdir(lower)), set(os.listdir(path))
        for child in sorted(before | now):
            inner, shown = f"{path}/{child}", _join(name, child)
            if child not in now:
                self._mark_hidden(shown)
                continue
            new = os.lstat(inner)
            old = os.stat(child, dir_fd=lower, follow_symlinks=False) if child in before else None
            if old is None or stat.S_IFMT(old.st_mode) != stat.S_IFMT(new.st_mode):
                self.add(inner, shown)
            elif stat.S_ISDIR(new.st_mode):
                self._compare_directory(inner, shown, new, old, lower, child)
            elif _changed(old, new):
                self.add(inner, shown)

    def _compare_directory(
        self, path: str, name: str, new: os.stat_result, old: os.stat_result, lower: int,
        child: str,
    ) -> None:  # fmt: skip
        self._pending.append((path, name, new))
        depth = len(self._pending)
        if _owner_and_mode(new) != _owner_and_mode(old):
            self._flush()
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
        below = os.open(child, flags, dir_fd=lower)
        try:
            self.add_difference(path, name, below)
        finally:
            os.close(below)
        if len(self._pending) == depth:
            self._pending.pop()

    def _flush(self) -> None:
        """Writes the directories on the way to what follows."""
        pending, self._pending = self._pending, []
        for path, name, found in pending:
            self._archive.addfile(self._entry(path, name, found))

    def add_directory(self, path: str, name: str) -> None:
        """Writes what is below a directory, not its own entry."""
        if self._whiteouts and get_xattr(path, "trusted.overlay.opaque") == b"y":
            self._mark(f"{name}/{OPAQUE}" if name else OPAQUE)
        for child in sorted(os.listdir(path)):
            self.add(f"{path}/{child}", _join(name, child))

    def add(self, path: str, name: str) -> None:
        """Writes a path under a name, and what is below it if it is a directory."""
        try:
            found = os.lstat(path)
        except FileNotFoundError:
            return  # a living tree: removed meanwhile
        mode = found.st_mode
        if stat.S_ISSOCK(mode):
            return
        if self._whiteouts and stat.S_ISCHR(mode) and found.st_rdev == 0:
            self._mark_hidden(name)
            return
        self._flush()
        entry = self._entry(path, name, found)
        if stat.S_ISREG(mode) and entry.type == tarfile.REGTYPE:
            self._add_file(path, entry)
            return
        self._archive.addfile(entry)
        if stat.S_ISDIR(mode):
            self.add_directory(path, name)

    def _entry(self, path: str, name: str, found: os.stat_result) -> tarfile.TarInfo:
        entry = tarfile.TarInfo(name)
        mode = found.st_mode
        entry.mode = stat.S_IMODE(mode)
        entry.uid, entry.gid = found.st_uid, found.st_gid
        seconds, fraction = divmod(found.st_mtime_ns, 1_000_000_000)
        entry.mtime = seconds
        headers: dict[str, str] = {}
        if fraction:
            headers["mtime"] = f"{seconds}.{fraction:09d}"
        for key in list_xattrs(path) if not stat.S_ISLNK(mode) else ():
            if not key.startswith(_OVERLAY_XATTRS):
                value = get_xattr(path, key) or b""
                headers[f"SCHILY.xattr.{key}"] = value.decode("utf-8", "surrogateescape")
        entry.pax_headers = headers
        if stat.S_ISDIR(mode):
            entry.type = tarfile.DIRTYPE
        elif stat.S_ISLNK(mode):
            entry.type, entry.linkname = tarfile.SYMTYPE, os.readlink(path)
        elif stat.S_ISFIFO(mode):
            entry.type = tarfile.FIFOTYPE
        elif stat.S_ISCHR(mode) or stat.S_ISBLK(mode):
            entry.type = tarfile.CHRTYPE if stat.S_ISCHR(mode) else tarfile.BLKTYPE
            entry.devmajor, entry.devminor = os.major(found.st_rdev), os.minor(found.st_rdev)
        elif found.st_nlink > 1 and (found.st_dev, found.st_ino) in self._links:
            entry.type = tarfile.LNKTYPE
            entry.linkname = self._links[found.st_dev, found.st_ino]
        else:
            entry.size = found.st_size
            self._links[found.st_dev, found.st_ino] = name
        return entry

    def _add_file(self, path: str, entry: tarfile.TarInfo) -> None:
        with open(path, "rb") as file:
            self._archive.addfile(entry, _Exactly(file, entry.size))
        self.content += entry.size

    def _mark_hidden(self, name: str) -> None:
        self._flush()
        parent, _, base = name.rpartition("/")
        self._mark(f"{parent}/{WHITEOUT}{base}" if parent else WHITEOUT + base)

    def _mark(self, name: str) -> None:
        self._archive.addfile(tarfile.TarInfo(name))


def _owner_and_mode(found: os.stat_result) -> tuple[int, int, int]:
    return found.st_mode, found.st_uid, found.st_gid


def _changed(old: os.stat_result, new: os.stat_result) -> bool:
    return (*_owner_and_mode(old), old.st_size, old.st_rdev, old.st_mtime_ns) != (
        *_owner_and_mode(new), new.st_size, new.st_rdev, new.st_mtime_ns,
    )  # fmt: skip


def _join(name: str, child: str) -> str:
    return f"{name.rstrip('/')}/{child}" if name else child


class _Exactly:
    """A file of a living tree read as long as its header says: padded if it shrank."""

    def __init__(self, file: io.BufferedReader, size: int) -> None:
        self._file = file
        self._left = size

    def read(self, size: int = -1) -> bytes:
        wanted = self._left if size < 0 else min(size, self._left)
        data = self._file.read(wanted)
        self._left -= wanted
        return data.ljust(wanted, b"\0")
