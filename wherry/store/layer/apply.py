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
import zlib
from collections.abc import Callable
from typing import Any, Protocol

import msgspec

from wherry.base.errors import DataCorrupt, InvalidParameter

WHITEOUT = ".wh."
OPAQUE = ".wh..wh..opq"
_MAXIMUM_ENTRIES = 5_000_000
_OPAQUE_XATTR = "trusted.overlay.opaque"


class ApplyRequest(msgspec.Struct, frozen=True):
    """How an archive is unpacked.

    `overlay`: whiteouts become overlay's own marks; else they remove what is there. Without
    `whiteouts` their names mean nothing. `keep_kinds` refuses to put a directory in the place of
    another kind of file, or the reverse. `owner` is a user and a group instead of the archive's.
    """

    overlay: bool = True
    maximum_size: int = 1 << 40
    whiteouts: bool = True
    keep_kinds: bool = False
    owner: tuple[int, int] | None = None


class ApplyResult(msgspec.Struct, frozen=True):
    """Digest and size of the uncompressed archive, and bytes of the files in it."""

    diff_id: str
    size: int
    content_size: int


class Readable(Protocol):
    """A stream that is read from start to end."""

    def read(self, size: int = -1, /) -> bytes:
        """The next bytes."""


def apply_task(parameters: bytes, descriptors: list[int], report: Callable[[bytes], None]) -> bytes:
    """Unpacks the archive of descriptor 0 into the directory of descriptor 1."""
    request = msgspec.json.decode(parameters, type=ApplyRequest)
    source, target = descriptors
    with io.BufferedReader(io.FileIO(source), 1 << 20) as file:
        stream = decompress(file)  # imports what it needs while there is a file system
        os.fchdir(target)
        os.chroot(".")
        os.umask(0)
        return msgspec.json.encode(apply(stream, request))


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
            raise InvalidParameter(f"the layer unpacks to more than {self._maximum} bytes")
        return data

    def digest(self) -> str:
        return f"sha256:{self._hash.hexdigest()}"


def apply(archive_stream: Readable, request: ApplyRequest) -> ApplyResult:
    """Unpacks an uncompressed archive into the present directory.

    Raises DataCorrupt for what is no whole archive, InvalidParameter for what passes a limit.
    """
    stream = _Hashing(archive_stream, request.maximum_size)
    content = 0
    try:
        with tarfile.open(fileobj=stream, mode="r|", bufsize=1 << 18,  # type: ignore[call-overload]
                          errorlevel=2) as archive:  # fmt: skip
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
    return ApplyResult(stream.digest(), stream.size, content)


def decompress(file: Any) -> Readable:
    """The stream inside gzip, zstd, bzip2 or xz, told by its first bytes; else as it is.

    `file` is a buffered binary reader: it is peeked at.
    """
    head = file.peek(6)[:6]
    if head[:2] == b"\x1f\x8b":
        try:
            from isal import igzip
        except ImportError:
            import gzip

            return gzip.GzipFile(fileobj=file)
        stream: Readable = igzip.IGzipFile(fileobj=file)  # type: ignore[no-untyped-call]
        return stream
    if head[:4] == b"\x28\xb5\x2f\xfd":
        import zstandard

        return zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True)
    if head[:3] == b"BZh":
        import bz2

        return bz2.BZ2File(file)
    if head[:6] == b"\xfd7zXZ\x00":
        import lzma

        return lzma.LZMAFile(file)
    plain: Readable = file
    return plain


class _Unpacker:
    """Writes members below the root; directories' times last, when nothing changes them more."""

    def __init__(self, archive: tarfile.TarFile, request: ApplyRequest) -> None:
        self._archive = archive
        self._request = request
        self._directories: list[tuple[str, tarfile.TarInfo]] = []
        self._fresh: set[str] = set()

    def add(self, member: tarfile.TarInfo) -> int:
        """Unpacks one member; returns the bytes of its content."""
        path = _clean(member.name)
        if not path:
            if member.isdir():
                self._set_metadata(".", member)
                self._directories.append((".", member))
            return 0
        parent, name = os.path.split(path)
        self._make_parents(parent)
        if self._request.whiteouts and name.startswith(WHITEOUT):
            self._whiteout(parent, name)
            return 0
        self._clear(path, member)
        self._fresh.add(path)
        self._make(path, member)
        if not member.islnk():
            self._set_metadata(path, member)
        if member.isdir():
            self._directories.append((path, member))
        return member.size if member.isreg() else 0

    def finish(self) -> None:
        """Gives directories their times."""
        for path, member in reversed(self._directories):
            if os.path.isdir(path) and not os.path.islink(path):
                _set_times(path, member)

    def _make_parents(self, parent: str) -> None:
        if parent and not os.path.isdir(parent):
            os.makedirs(parent, mode=0o755, exist_ok=True)

    def _whiteout(self, parent: str, name: str) -> None:
        if name == OPAQUE:
            if self._request.overlay:
                os.setxattr(parent or ".", _OPAQUE_XATTR, b"y")
            else:
                for child in os.listdir(parent or "."):
                    if os.path.join(parent, child) not in self._fresh:
                        _remove(os.path.join(parent, child))
            return
        hidden = os.path.join(parent, name.removeprefix(WHITEOUT))
        if name.startswith(".wh..wh."):
            return  # aufs' own bookkeeping
        _remove(hidden)
        if self._request.overlay:
            os.mknod(hidden, stat.S_IFCHR, 0)

    def _clear(self, path: str, member: tarfile.TarInfo) -> None:
        try:
            found = os.lstat(path)
        except FileNotFoundError:
            return
        was_directory = stat.S_ISDIR(found.st_mode)
        if was_directory and member.isdir():
            return
        if self._request.keep_kinds and was_directory:
            raise InvalidParameter(
                f'cannot overwrite directory "{_shown(path)}" with non-directory "/"'
            )
        if self._request.keep_kinds and member.isdir():
            raise InvalidParameter(
                f'cannot overwrite non-directory "{_shown(path)}" with directory "/"'
            )
        _remove(path)

    def _make(self, path: str, member: tarfile.TarInfo) -> None:
        if member.isdir():
            if not os.path.isdir(path):
                os.mkdir(path, 0o700)
        elif member.isreg():
            self._write(path, member)
        elif member.issym():
            os.symlink(member.linkname, path)
        elif member.islnk():
            os.link(_clean(member.linkname), path, follow_symlinks=False)
        elif member.ischr() or member.isblk():
            kind = stat.S_IFCHR if member.ischr() else stat.S_IFBLK
            os.mknod(path, kind | 0o600, os.makedev(member.devmajor, member.devminor))
        elif member.isfifo():
            os.mkfifo(path, 0o600)
        else:
            raise DataCorrupt(f"{member.name} is of an unknown type in the layer")

    def _write(self, path: str, member: tarfile.TarInfo) -> None:
        source = self._archive.extractfile(member)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        with open(os.open(path, flags, 0o600), "wb", buffering=0) as target:
            done = 0
            while source and (data := source.read(1 << 18)):
                target.write(data)
                done += len(data)
        if done != member.size:
            raise DataCorrupt(f"the layer ends in the middle of {member.name}")

    def _set_metadata(self, path: str, member: tarfile.TarInfo) -> None:
        os.lchown(path, *(self._request.owner or (member.uid, member.gid)))
        if not member.issym():
            os.chmod(path, member.mode & 0o7777)
        for key, value in member.pax_headers.items():
            if key.startswith("SCHILY.xattr."):
                _set_xattr(path, key.removeprefix("SCHILY.xattr."), value)
        _set_times(path, member)


def _set_xattr(path: str, name: str, value: str) -> None:
    try:
        os.setxattr(path, name, value.encode("utf-8", "surrogateescape"), follow_symlinks=False)
    except OSError as error:
        # A file system without attributes, or user attributes on what cannot have them.
        if error.errno not in (errno.ENOTSUP, errno.EPERM):
            raise


def _set_times(path: str, member: tarfile.TarInfo) -> None:
    text = member.pax_headers.get("mtime", "")
    whole, _, fraction = text.partition(".")
    if whole.lstrip("-").isdecimal():
        nanoseconds = int(whole) * 1_000_000_000 + int(fraction[:9].ljust(9, "0") or 0)
    else:
        nanoseconds = int(member.mtime) * 1_000_000_000
    os.utime(path, ns=(nanoseconds, nanoseconds), follow_symlinks=False)


def _shown(path: str) -> str:
    return os.path.join(os.getcwd(), path)


def _clean(name: str) -> str:
    """The name below the root; leading and inner `..` cannot climb above it."""
    parts: list[str] = []
    for part in name.split("/"):
        if part in ("", "."):
            continue
        if part == "..":
            if parts:
                parts.pop()
            continue
        parts.append(part)
    return "/".join(parts)


def _remove(path: str) -> None:
    try:
        if stat.S_ISDIR(os.lstat(path).st_mode):
            shutil.rmtree(path)
        else:
            os.unlink(path)
    except FileNotFoundError:
        return
