"""What a copy means: which directory is unpacked into, and under which name (moby `go-archive`).

The rules are those of `cp -a`: a destination that exists as a directory takes the source into it;
a source that ends in `/.` gives its content; a name that does not exist becomes the copy's.
"""

from __future__ import annotations

import io
import os
import posixpath
import stat

from wherry.cli.errors import CliError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import tarfile
    from collections.abc import Callable, Iterator
    from typing import IO

    from wherry.client.http import Response

_BLOCK = 1 << 18


class CopyPoint:
    """One end of a copy: its path and what is there."""

    def __init__(self, path: str, exists: bool = False, is_dir: bool = False) -> None:
        self.path, self.exists, self.is_dir = path, exists, is_dir
        self.rebase = ""


def asserts_directory(path: str) -> bool:
    """Whether the spelling says that it is a directory: a slash or a dot at its end."""
    return path.endswith("/") or specifies_current(path)


def specifies_current(path: str) -> bool:
    """Whether the last part is `.`: the content, not the directory itself."""
    return path == "." or path.endswith("/.")


def split_entry(path: str) -> tuple[str, str]:
    """(directory, base), the base `.` where the content was meant."""
    clean = posixpath.normpath(path) if path else "."
    if specifies_current(path):
        return clean, "."
    directory, base = posixpath.split(clean)
    return directory or ".", base or "/"


def preserve_ending(clean: str, original: str) -> str:
    """A cleaned path with the ending that the user gave it."""
    if specifies_current(original) and not specifies_current(clean):
        clean = clean.rstrip("/") + "/."
    elif original.endswith("/") and not clean.endswith("/"):
        clean += "/"
    return clean


def prepare(source: CopyPoint, destination: CopyPoint) -> tuple[str, str, str]:
    """(directory to unpack in, name in the archive, name to unpack under)."""
    _, base = split_entry(source.path)
    base = source.rebase or base
    if destination.exists and destination.is_dir:
        return destination.path, base, base
    directory, name = split_entry(destination.path)
    if destination.exists:
        if source.is_dir:
            raise CliError("cannot copy directory")
        return directory, base, name
    if source.is_dir:
        return directory, "." if base == "." else base, name
    if asserts_directory(destination.path):
        raise CliError("no such directory")
    return directory, base, name


def renamed(name: str, old: str, new: str) -> str:
    """A member's name with its first part replaced."""
    clean = name.rstrip("/")
    if old == ".":
        inner = clean.removeprefix("./")
        return new if inner in ("", ".") else posixpath.join(new, inner)
    if clean == old:
        return new
    return new + clean[len(old) :] if clean.startswith(f"{old}/") else name


class ResponseFile(io.RawIOBase):
    """A response as the file that tarfile reads."""

    def __init__(self, response: Response, count: Callable[[int], None]) -> None:
        super().__init__()
        self._response, self._count = response, count
        self._ahead = b""

    def readable(self) -> bool:
        """It is."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Exactly `size` bytes, fewer at the end."""
        parts = [self._ahead]
        have = len(self._ahead)
        while size < 0 or have < size:
            data = self._response.read_some()
            if not data:
                break
            parts.append(data)
            have += len(data)
        whole = b"".join(parts)
        end = len(whole) if size < 0 else min(size, len(whole))
        self._ahead = whole[end:]
        self._count(end)
        return whole[:end]


def archive_of(source: CopyPoint, name: str) -> Iterator[bytes]:
    """A tar stream of a local path under another name, with owners, modes and times."""
    import tarfile

    root = source.path.rstrip("/") or "/"
    if specifies_current(source.path):
        root = root.removesuffix("/.") or "/"
    # Only its knowledge of files is used: the headers are written one by one.
    with tarfile.TarFile(fileobj=io.BytesIO(), mode="w") as describer:
        for path in _walk(root):
            inner = name if path == root else f"{name}/{path[len(root.rstrip('/')) + 1 :]}"
            if stat.S_ISSOCK(os.lstat(path).st_mode):
                continue  # no archive can hold it
            member = describer.gettarinfo(path, inner)
            member.mtime = int(member.mtime)  # whole seconds, as docker sends them
            if not member.isreg():
                yield member.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")
                continue
            with open(path, "rb") as content:
                yield member.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")
                yield from _content(content, member.size)
    yield bytes(2 * tarfile.BLOCKSIZE)


def _content(content: IO[bytes], size: int) -> Iterator[bytes]:
    """A file's bytes, exactly as many as were announced, filled up to the block."""
    left = size
    while left:
        data = content.read(min(_BLOCK, left))
        if not data:
            data = bytes(min(_BLOCK, left))
        left -= len(data)
        yield data
    yield bytes(-size % 512)


def _walk(root: str) -> Iterator[str]:
    yield root
    if os.path.isdir(root) and not os.path.islink(root):
        for directory, names, files in os.walk(root):
            names.sort()
            for entry in sorted(names + files):
                yield os.path.join(directory, entry)


def unpack(stream: ResponseFile, directory: str, old: str, new: str, keep_owner: bool) -> None:
    """Unpacks a tar stream under a directory, its first part renamed, nothing outside of it."""
    import tarfile

    later: list[tuple[str, tarfile.TarInfo]] = []
    with tarfile.open(mode="r|", fileobj=stream) as archive:
        for member in archive:
            member.name = renamed(member.name, old, new)
            if member.islnk():
                member.linkname = renamed(member.linkname, old, new)
            target = _inside(directory, member.name)
            _place(archive, member, target, directory)
            if member.isdir():
                later.append((target, member))
            else:
                _dress(target, member, keep_owner)
    for target, member in reversed(later):
        _dress(target, member, keep_owner)


def _inside(directory: str, name: str) -> str:
    """The path of a member; refuses one that leaves the directory, by dots or through a link."""
    target = os.path.normpath(os.path.join(directory, name))
    base = os.path.realpath(directory)
    parent = os.path.realpath(os.path.dirname(target) if target != directory else target)
    if os.path.commonpath([base, parent]) != base:
        raise CliError(f'invalid path in archive: "{name}" is outside of "{directory}"')
    return target


def _place(archive: tarfile.TarFile, member: tarfile.TarInfo, target: str, directory: str) -> None:
    if member.isdir():
        if os.path.islink(target) or (os.path.exists(target) and not os.path.isdir(target)):
            raise CliError(f'cannot overwrite non-directory "{target}" with directory')
        os.makedirs(target, exist_ok=True)
        return
    if os.path.isdir(target) and not os.path.islink(target):
        raise CliError(f'cannot overwrite directory "{target}" with non-directory')
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if os.path.lexists(target):
        os.unlink(target)
    if member.issym():
        os.symlink(member.linkname, target)
    elif member.islnk():
        os.link(_inside(directory, member.linkname), target)
    elif member.isreg():
        content = archive.extractfile(member)
        assert content is not None
        with open(target, "wb") as output:
            while data := content.read(_BLOCK):
                output.write(data)
    elif member.isfifo() and hasattr(os, "mkfifo"):
        os.mkfifo(target)
    elif hasattr(os, "mknod") and (member.isblk() or member.ischr()):
        kind = 0o060000 if member.isblk() else 0o020000
        os.mknod(target, kind | 0o600, os.makedev(member.devmajor, member.devminor))


def _dress(target: str, member: tarfile.TarInfo, keep_owner: bool) -> None:
    """Owner, mode and times, in the order in which none undoes another."""
    if not os.path.lexists(target):
        return
    if keep_owner and hasattr(os, "lchown"):
        os.lchown(target, member.uid, member.gid)
    if member.issym():
        return
    os.chmod(target, member.mode & 0o7777)
    os.utime(target, (member.mtime, member.mtime))
