"""What an image has where a new volume is mounted goes into the volume, once.

A task: runs in a child of the zygote. Nothing is followed out of the image's tree: its path is
opened in a root of its own, and everything below by descriptor and without following links.
"""

import errno
import os
import stat
from collections.abc import Callable

import msgspec

from wherry.linux.fd import openat2
from wherry.linux.overlay import overlay
from wherry.linux.syscall import SyscallError

_PIECE = 1 << 26


class CopyUpRequest(msgspec.Struct, frozen=True):
    """The overlay options of a container's root, and the path in it."""

    options: tuple[str, ...]
    path: str


def copy_up_task(
    parameters: bytes, descriptors: list[int], report: Callable[[bytes], None]
) -> bytes:
    """Fills the empty directory of descriptor 0; `yes` if the image has that directory."""
    request = msgspec.json.decode(parameters, type=CopyUpRequest)
    target = descriptors[0]
    os.umask(0)
    root = overlay(request.options)
    try:
        source = openat2(root, request.path, os.O_RDONLY | os.O_DIRECTORY)
    except SyscallError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
            return b"no"
        raise
    finally:
        os.close(root)
    copy_tree(source, target)
    return b"yes"


def copy_tree(source: int, target: int) -> None:
    """Copies what is below one open directory into another, with owners, modes, times, links."""
    _Copier().directory(source, target)


class _Copier:
    """Remembers files with several names."""

    def __init__(self) -> None:
        self._links: dict[tuple[int, int], tuple[int, str]] = {}
        self._held: list[int] = []

    def directory(self, source: int, target: int) -> None:
        """Copies content, then attributes, so that times stay."""
        try:
            self._directory(source, target)
        finally:
            for descriptor in self._held:
                os.close(descriptor)

    def _directory(self, source: int, target: int) -> None:
        for name in sorted(os.listdir(source)):
            self._entry(source, target, name)
        _copy_attributes(source, target)

    def _entry(self, source: int, target: int, name: str) -> None:
        found = os.stat(name, dir_fd=source, follow_symlinks=False)
        kind = stat.S_IFMT(found.st_mode)
        if kind == stat.S_IFDIR:
            self._subdirectory(source, target, name)
            return
        key = (found.st_dev, found.st_ino)
        if found.st_nlink > 1 and key in self._links:
            directory, first = self._links[key]
            os.link(first, name, src_dir_fd=directory, dst_dir_fd=target, follow_symlinks=False)
            return
        if kind == stat.S_IFREG:
            _copy_file(source, target, name)
        else:
            if kind == stat.S_IFLNK:
                os.symlink(os.readlink(name, dir_fd=source), name, dir_fd=target)
            else:
                os.mknod(name, found.st_mode, found.st_rdev, dir_fd=target)
            os.chown(name, found.st_uid, found.st_gid, dir_fd=target, follow_symlinks=False)
            times = (found.st_atime_ns, found.st_mtime_ns)
            os.utime(name, ns=times, dir_fd=target, follow_symlinks=False)
        if found.st_nlink > 1:
            held = os.dup(target)
            self._held.append(held)
            self._links[key] = (held, name)

    def _subdirectory(self, source: int, target: int, name: str) -> None:
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
        os.mkdir(name, 0o700, dir_fd=target)
        inner_source = os.open(name, flags, dir_fd=source)
        try:
            inner_target = os.open(name, flags, dir_fd=target)
            try:
                self._directory(inner_source, inner_target)
            finally:
                os.close(inner_target)
        finally:
            os.close(inner_source)


def _copy_file(source: int, target: int, name: str) -> None:
    flags = os.O_NOFOLLOW | os.O_CLOEXEC
    reading = os.open(name, os.O_RDONLY | flags, dir_fd=source)
    try:
        writing = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | flags, 0o600, dir_fd=target)
        try:
            while os.sendfile(writing, reading, None, _PIECE):
                pass
            _copy_attributes(reading, writing)
        finally:
            os.close(writing)
    finally:
        os.close(reading)


def _copy_attributes(source: int, target: int) -> None:
    found = os.fstat(source)
    os.fchown(target, found.st_uid, found.st_gid)
    os.fchmod(target, stat.S_IMODE(found.st_mode))
    for name in os.listxattr(source):
        # Overlay's own marks mean nothing in a volume.
        if not name.startswith(("trusted.overlay.", "user.overlay.")):
            os.setxattr(target, name, os.getxattr(source, name))
    os.utime(target, ns=(found.st_atime_ns, found.st_mtime_ns))
