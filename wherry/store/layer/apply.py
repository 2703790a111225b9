"""Unpacking a layer: tar to directory, with whiteouts, in a child that sees nothing else.

The task changes its root to the target first, so that no name in the archive, whatever links lead
it, means anything outside (CVE-2014-9356 and its kin).
"""

import errno
import hashlib
import io
import os
import shutil
import stat
import tarfile
import time
import zlib
from collections.abc import Callable
from typing import Any

import msgspec

from wherry.base.errors import DataCorrupt, InvalidParameter, ResourceExhausted
from wherry.linux.overlay import overlay
from wherry.store.layer.compression import Readable, decompress

WHITEOUT = ".wh."
OPAQUE = ".wh..wh..opq"
_MAXIMUM_ENTRIES = 5_000_000
_REPORT_SECONDS = 0.1
_EXTENSION_LIMIT = 8 << 20
_LONGEST_PATH = 4000
"""Bytes; longer ones could be made through links, and then nobody could name them (PATH_MAX)."""
_FOREIGN_XATTRS = ("trusted.overlay.", "user.overlay.")
_WITHOUT_CONTENT = (tarfile.LNKTYPE, tarfile.SYMTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE,
                    tarfile.DIRTYPE, tarfile.FIFOTYPE)  # fmt: skip


class ApplyRequest(msgspec.Struct, frozen=True):
    """How an archive is unpacked.

    `overlay`: options of an overlay to unpack in, instead of a directory. Without `whiteouts`
    their names mean nothing. `keep_kinds` refuses to put a directory in the place of another kind
    of file, or the reverse. `owner` is a user and a group instead of the archive's. `strict`
    refuses names that climb above the root instead of ending there.
    """

    overlay: tuple[str, ...] = ()
    maximum_size: int = 1 << 40
    whiteouts: bool = True
    keep_kinds: bool = False
    owner: tuple[int, int] | None = None
    strict: bool = False


class ApplyResult(msgspec.Struct, frozen=True):
    """Digest and size of the uncompressed archive, and bytes of the files in it."""

    diff_id: str
    size: int
    content_size: int


def apply_task(parameters: bytes, descriptors: list[int], report: Callable[[bytes], None]) -> bytes:
    """Unpacks the archive of descriptor 0 into an overlay, or the directory of descriptor 1."""
    request = msgspec.json.decode(parameters, type=ApplyRequest)
    with io.BufferedReader(_Reported(descriptors[0], report), 1 << 20) as file:
        stream = decompress(file)  # imports what it needs while there is a file system
        target = overlay(request.overlay) if request.overlay else descriptors[1]
        os.fchdir(target)
        os.chroot(".")
        os.umask(0)
        return msgspec.json.encode(apply(stream, request))


class _Reported(io.FileIO):
    """Tells now and then how many bytes have been read."""

    def __init__(self, descriptor: int, report: Callable[[bytes], None]) -> None:
        super().__init__(descriptor)
        self._report = report
        self._done = 0
        self._next = time.monotonic() + _REPORT_SECONDS

    def readinto(self, buffer: Any) -> int | None:
        """As FileIO's."""
        count = super().readinto(buffer)
        self._done += count or 0
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + _REPORT_SECONDS
            self._report(str(self._done).encode())
        return count


class _Hashing:
    """Reads through: counts and hashes the uncompressed bytes."""

    def __init__(self, source: Readable, maximum: int) -> None:
        self._source = source
        self._maximum = maximum
        self._hash = hashlib.sha256()
        self.size = 0

    def read(self, size: int = -1) -> bytes:
        data = self._source.read(size)
        self._hash.update(data)
        self.size += len(data)
        if self.size > self._maximum:
            raise _too_large(self._maximum)
        return data

    def digest(self) -> str:
        return f"sha256:{self._hash.hexdigest()}"


def apply(archive_stream: Readable, request: ApplyRequest) -> ApplyResult:
    """Unpacks an uncompressed archive into the present directory.

    Raises DataCorrupt for what is no whole archive, InvalidParameter for what passes a limit,
    ResourceExhausted for a full disk.
    """
    stream = _Hashing(archive_stream, request.maximum_size)
    content = 0
    try:
        with tarfile.open(fileobj=stream, mode="r|", bufsize=1 << 18,  # type: ignore[call-overload]
                          errorlevel=2, tarinfo=_Entry) as archive:  # fmt: skip
            unpacker = _Unpacker(archive, request)
            for count, member in enumerate(archive):
                if count >= _MAXIMUM_ENTRIES:
                    raise InvalidParameter(f"the layer has more than {_MAXIMUM_ENTRIES} entries")
                content += unpacker.add(member)
            unpacker.finish()
        while stream.read(1 << 20):
            continue  # padding after the end belongs to the digest
    except (tarfile.TarError, EOFError, zlib.error, ValueError) as error:
        raise DataCorrupt(f"the layer is no whole archive: {error}") from error
    except (OverflowError, RecursionError) as error:
        raise DataCorrupt(f"the layer holds what no file system takes: {error}") from error
    return ApplyResult(stream.digest(), stream.size, content)


class _Entry(tarfile.TarInfo):
    """A header whose extensions are bounded, since tarfile reads them into memory whole."""

    def _proc_member(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
        plain = self.type in (*tarfile.REGULAR_TYPES, tarfile.GNUTYPE_SPARSE)
        if not plain and self.type not in _WITHOUT_CONTENT and self.size > _EXTENSION_LIMIT:
            raise tarfile.ReadError(f"an extended header of {self.size} bytes")
        member: tarfile.TarInfo = super()._proc_member(archive)  # type: ignore[misc]
        return member


def _too_large(maximum: int) -> InvalidParameter:
    return InvalidParameter(
        f"no space left on device: the layer unpacks to more than the {maximum} bytes that are free"
    )


class _Unpacker:
    """Writes members below the root; directories' times last, when nothing changes them more."""

    def __init__(self, archive: tarfile.TarFile, request: ApplyRequest) -> None:
        self._archive = archive
        self._request = request
        self._times: dict[str, int] = {}
        self._fresh: set[str] = set()
        self._directories: dict[str, str] = {}
        self._top = os.getcwd()
        self._content = 0

    def add(self, member: tarfile.TarInfo) -> int:
        """Unpacks one member; returns the bytes of its content."""
        try:
            return self._add(member)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise ResourceExhausted(
                    f"write {_shown(member.name)}: no space left on device"
                ) from error
            if not self._request.strict:
                raise
            reason = (error.strerror or str(error)).lower()
            raise DataCorrupt(f"the layer's {_shown(member.name)}: {reason}") from error

    def _add(self, member: tarfile.TarInfo) -> int:
        path = self._clean(member.name)
        if not path:
            if member.isdir():
                self._set_metadata(self._top, member)
                self._times[self._top] = _time_of(member)
            return 0
        parent, name = os.path.split(path)
        directory = self._directory(parent)
        if self._request.whiteouts and name.startswith(WHITEOUT):
            self._whiteout(directory, name)
            return 0
        path = os.path.join(directory, name)
        self._clear(path, member)
        self._fresh.add(path)
        self._make(path, member)
        if not member.islnk():
            self._set_metadata(path, member)
        if member.isdir():
            self._times[path] = _time_of(member)
        return member.size if member.isreg() else 0

    def finish(self) -> None:
        """Gives directories their times, also those that only had something put in them."""
        for path, nanoseconds in self._times.items():
            if os.path.isdir(path) and not os.path.islink(path):
                os.utime(path, ns=(nanoseconds, nanoseconds), follow_symlinks=False)

    def _directory(self, parent: str) -> str:
        """The directory that a name means, links followed; made if it is not there."""
        if parent not in self._directories:
            real = os.path.realpath(parent or ".")
            if len(os.fsencode(real)) > _LONGEST_PATH:
                raise DataCorrupt(f"the layer's {_shown(parent[:80])}... is too deep")
            if not os.path.isdir(real):
                _make_directories(real)
            self._directories[parent] = real
            if self._request.strict:
                self._times.setdefault(real, os.stat(real).st_mtime_ns)
        return self._directories[parent]

    def _whiteout(self, directory: str, name: str) -> None:
        if name == OPAQUE:
            self._remove_older(directory)
            return
        if name.startswith(".wh..wh."):
            return  # aufs' own bookkeeping
        base = name.removeprefix(WHITEOUT)
        if base in ("", ".", ".."):
            raise DataCorrupt(f"the layer's {_shown(os.path.join(directory, name))} hides no name")
        hidden = os.path.join(directory, base)
        if hidden not in self._fresh:
            _remove(hidden)
        elif os.path.isdir(hidden) and not os.path.islink(hidden):
            self._remove_older(hidden)  # a whiteout is about the layers below alone

    def _remove_older(self, directory: str) -> None:
        for child in os.listdir(directory):
            path = os.path.join(directory, child)
            if path not in self._fresh and not self._holds_fresh(path):
                _remove(path)

    def _holds_fresh(self, path: str) -> bool:
        """Whether something of this layer is below a directory that is not; the rest goes."""
        below = f"{path}/"
        if not any(name.startswith(below) for name in self._fresh):
            return False
        self._remove_older(path)
        return True

    def _clear(self, path: str, member: tarfile.TarInfo) -> None:
        try:
            found = os.lstat(path)
        except FileNotFoundError:
            return
        was_directory = stat.S_ISDIR(found.st_mode)
        if was_directory and member.isdir():
            return
        if self._request.keep_kinds and was_directory:
            raise InvalidParameter(f'cannot overwrite directory "{path}" with non-directory "/"')
        if self._request.keep_kinds and member.isdir():
            raise InvalidParameter(f'cannot overwrite non-directory "{path}" with directory "/"')
        _remove(path)
        if was_directory or stat.S_ISLNK(found.st_mode):
            self._directories.clear()  # names may lead elsewhere now

    def _make(self, path: str, member: tarfile.TarInfo) -> None:
        if member.isdir():
            if not os.path.isdir(path):
                os.mkdir(path, 0o700)
        elif member.isreg():
            self._write(path, member)
        elif member.issym():
            os.symlink(member.linkname, path)
        elif member.islnk():
            target = os.path.join(self._top, self._clean(member.linkname))
            os.link(target, path, follow_symlinks=False)
        elif member.ischr() or member.isblk():
            self._make_device(path, member)
        elif member.isfifo():
            os.mkfifo(path, 0o600)
        else:
            raise DataCorrupt(f"the layer's {_shown(member.name)} is of an unknown type")

    def _make_device(self, path: str, member: tarfile.TarInfo) -> None:
        device = os.makedev(member.devmajor, member.devminor)
        if member.ischr() and device == 0:
            raise DataCorrupt(f"the layer's {_shown(member.name)} is an overlay's whiteout")
        kind = stat.S_IFCHR if member.ischr() else stat.S_IFBLK
        os.mknod(path, kind | 0o600, device)

    def _write(self, path: str, member: tarfile.TarInfo) -> None:
        self._content += member.size  # a sparse file takes no room in the archive
        if self._content > self._request.maximum_size:
            raise _too_large(self._request.maximum_size)
        source = self._archive.extractfile(member)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        with open(os.open(path, flags, 0o600), "wb", buffering=0) as target:
            done = 0
            while source and (data := source.read(1 << 18)):
                target.write(data)
                done += len(data)
        if done != member.size:
            raise DataCorrupt(f"the layer ends in the middle of {_shown(member.name)}")

    def _set_metadata(self, path: str, member: tarfile.TarInfo) -> None:
        os.lchown(path, *(self._request.owner or (member.uid, member.gid)))
        if not member.issym():
            os.chmod(path, member.mode & 0o7777)
        for key, value in member.pax_headers.items():
            if key.startswith("SCHILY.xattr."):
                _set_xattr(path, key.removeprefix("SCHILY.xattr."), value)
        nanoseconds = _time_of(member)
        os.utime(path, ns=(nanoseconds, nanoseconds), follow_symlinks=False)

    def _clean(self, name: str) -> str:
        """The name below the root; raises DataCorrupt for one that climbs above it, if strict."""
        parts: list[str] = []
        for part in name.split("/"):
            if part in ("", "."):
                continue
            if part != "..":
                parts.append(part)
            elif parts:
                parts.pop()
            elif self._request.strict:
                raise DataCorrupt(f"the layer's {_shown(name)} leads outside of the root")
        return "/".join(parts)


def _make_directories(path: str) -> None:
    """Makes a directory and those above it, with the mode that every one has that none names."""
    missing = [path]
    while not os.path.isdir(parent := os.path.dirname(missing[-1])):
        missing.append(parent)
        if os.path.lexists(parent):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), parent)
    for directory in reversed(missing):
        os.mkdir(directory, 0o755)


def _set_xattr(path: str, name: str, value: str) -> None:
    if name.startswith(_FOREIGN_XATTRS):
        return  # another overlay's marks, with which a layer could show what is not in it
    try:
        os.setxattr(path, name, value.encode("utf-8", "surrogateescape"), follow_symlinks=False)
    except OSError as error:
        # A file system without attributes, or user attributes on what cannot have them.
        if error.errno not in (errno.ENOTSUP, errno.EPERM):
            raise


def _time_of(member: tarfile.TarInfo) -> int:
    """Nanoseconds; tarfile itself rounds the fraction."""
    whole, _, fraction = member.pax_headers.get("mtime", "").partition(".")
    if whole.lstrip("-").isdecimal():
        return int(whole) * 1_000_000_000 + int(fraction[:9].ljust(9, "0") or 0)
    return int(member.mtime) * 1_000_000_000


def _shown(name: str) -> str:
    return f'"{name}"'.encode("utf-8", "backslashreplace").decode()


def _remove(path: str) -> None:
    try:
        if stat.S_ISDIR(os.lstat(path).st_mode):
            shutil.rmtree(path)
        else:
            os.unlink(path)
    except FileNotFoundError:
        return
