"""Trees of files: copied and removed by descriptor, no link followed, however deep they are."""

import errno
import os
import stat
from pathlib import Path

_PIECE = 1 << 26
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def remove_tree(path: Path) -> None:
    """Removes a directory with all that is in it; one that is not there is fine.

    Directories in it are first moved up to it, so that no depth meets a limit of path lengths,
    descriptors or recursion. Raises OSError for what cannot be removed.
    """
    try:
        top = os.open(path, _DIRECTORY)
    except FileNotFoundError:
        return
    try:
        _empty(top)
    finally:
        os.close(top)
    path.rmdir()


def _empty(top: int) -> None:
    moved = 0
    while names := os.listdir(top):
        for name in names:
            if _unlinked(name, top):
                continue
            inner = os.open(name, _DIRECTORY, dir_fd=top)
            try:
                for child in os.listdir(inner):
                    if not _unlinked(child, inner):
                        moved = _move_up(child, inner, top, moved)
            finally:
                os.close(inner)
            os.rmdir(name, dir_fd=top)


def _unlinked(name: str, directory: int) -> bool:
    try:
        os.unlink(name, dir_fd=directory)
    except IsADirectoryError:
        return False
    except FileNotFoundError:
        pass  # somebody else removed it
    return True


def _move_up(name: str, directory: int, top: int, moved: int) -> int:
    while True:
        moved += 1
        try:
            # A directory replaces an empty one only, which is as good as a new name.
            os.rename(name, f".moved-{moved}", src_dir_fd=directory, dst_dir_fd=top)
        except (FileExistsError, NotADirectoryError):
            continue
        except OSError as error:
            if error.errno == errno.ENOTEMPTY:
                continue
            raise
        return moved


def copy_tree(source: int, target: int) -> None:
    """Copies what is below one open directory into another, with owners, modes, times, links.

    Overlay's own marks are left out: they mean nothing elsewhere.
    """
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
                os.chmod(name, stat.S_IMODE(found.st_mode), dir_fd=target)  # whatever the umask
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
            _copy_content(reading, writing)
            _copy_attributes(reading, writing)
        finally:
            os.close(writing)
    finally:
        os.close(reading)


def _copy_content(reading: int, writing: int) -> None:
    try:
        while os.copy_file_range(reading, writing, _PIECE):
            pass  # shared blocks where the file system can (copy_file_range(2))
    except OSError as error:
        if error.errno not in (errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP):
            raise
        while os.sendfile(writing, reading, None, _PIECE):
            pass


def copy_root_attributes(source: Path, target: Path) -> None:
    """Gives one directory owner, mode, extended attributes and times of another."""
    reading = os.open(source, _DIRECTORY)
    try:
        writing = os.open(target, _DIRECTORY)
        try:
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
        if not name.startswith(("trusted.overlay.", "user.overlay.")):
            os.setxattr(target, name, os.getxattr(source, name))
    os.utime(target, ns=(found.st_atime_ns, found.st_mtime_ns))
