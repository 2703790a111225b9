"""Directories of named volumes below `<data root>/volumes`, as Docker lays them out.

Blocking. Whoever holds the records decides which volumes exist; this room keeps their data.
"""

import contextlib
import errno
import os
import socket
import tempfile
from collections.abc import Mapping
from pathlib import Path

from wherry.base.errors import InternalError, InvalidParameter
from wherry.linux.mount import (
    MNT_DETACH,
    MS_BIND,
    MS_REC,
    MS_REMOUNT,
    UMOUNT_NOFOLLOW,
    mount,
    mountinfo,
    parse_mount_options,
    umount2,
)
from wherry.linux.syscall import SyscallError
from wherry.linux.tree import remove_tree

DATA = "_data"

OPTIONS = frozenset({"type", "o", "device", "size"})
"""What the local driver understands (moby volume/local)."""

_REQUIRED = ("device", "type")
_INCOMING = ".incoming-"


class VolumeMountFailed(InternalError):
    """The file system that a volume's options name cannot be mounted."""


class VolumeDirectories:
    """Makes, mounts, measures and removes the directories of volumes."""

    def __init__(self, root: Path) -> None:
        """`root` is the volumes directory of the data root; made if missing."""
        self._root = root
        root.mkdir(mode=0o701, parents=True, exist_ok=True)

    def names(self) -> list[str]:
        """The names of all directories that hold a volume."""
        return sorted(e.name for e in self._root.iterdir() if (e / DATA).is_dir())

    def mountpoint(self, name: str) -> Path:
        """Where a volume's data is."""
        return self._root / name / DATA

    def created_ns(self, name: str) -> int:
        """When the directory was made, nanoseconds since the epoch, for volumes without record."""
        return (self._root / name).stat().st_mtime_ns

    def create(self, name: str) -> Path:
        """Makes a volume's directory if it is not there; its data directory."""
        directory = self._root / name
        directory.mkdir(mode=0o701, exist_ok=True)
        data = directory / DATA
        with contextlib.suppress(FileExistsError):
            data.mkdir()
            data.chmod(0o755)
        return data

    def begin(self) -> Path:
        """An empty directory in which a volume's data is collected."""
        directory = Path(tempfile.mkdtemp(prefix=_INCOMING, dir=self._root))
        directory.chmod(0o755)
        return directory

    def abandon(self, directory: Path) -> None:
        """Removes what `begin` made, unless `take_in` has moved it."""
        remove_tree(directory)

    def take_in(self, directory: Path, name: str) -> bool:
        """Makes a begun directory the data of a volume, in one step; False if it holds data."""
        data = self.create(name)
        try:
            directory.rename(data)  # over an empty directory only (rename(2))
        except OSError as error:
            if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
                return False
            raise
        return True

    def remove(self, name: str) -> None:
        """Removes a volume with all its data, after what its options mounted.

        Never follows a link out of the volume.
        """
        directory = self._root / name
        self.unmount(name)
        # Renamed first: a remove that is killed half way leaves no volume with half its data.
        doomed = self._root / f".removed-{name}"
        with contextlib.suppress(FileNotFoundError):
            directory.rename(doomed)
        remove_tree(doomed)

    def sweep(self) -> None:
        """Ends removals that a killed daemon began, and drops what it was collecting."""
        for pattern in (".removed-*", f"{_INCOMING}*"):
            for entry in self._root.glob(pattern):
                remove_tree(entry)

    def mount(self, name: str, options: Mapping[str, str]) -> None:
        """Mounts what the options name over the data directory unless that is done already."""
        if "device" not in options:
            return
        data = self.mountpoint(name)
        if self._is_mounted(data):
            return
        device, fstype = options["device"], options["type"]
        raw = options.get("o", "")
        parsed = parse_mount_options(_resolved(fstype, raw).split(","))
        try:
            mount(device, str(data), fstype, parsed.flags, ",".join(parsed.data))
            if parsed.flags & MS_BIND and parsed.flags & ~(MS_BIND | MS_REC):
                # A bind takes over its source's flags; others, such as ro, need a second call.
                mount("", str(data), "", parsed.flags | MS_REMOUNT)
        except SyscallError as error:
            reason = (error.strerror or "").lower()
            raise VolumeMountFailed(
                f"failed to mount local volume: mount {device}:{data}"
                + (f", data: {raw}" if raw else "")
                + f": {reason}"
            ) from error

    def unmount(self, name: str) -> None:
        """Unmounts what `mount` mounted; nothing if nothing is."""
        data = self.mountpoint(name)
        while self._is_mounted(data):
            # Detached: a copy that has just ended may still hold its directory.
            umount2(str(data), MNT_DETACH | UMOUNT_NOFOLLOW)

    def size(self, name: str) -> int:
        """Bytes of a volume's files, hard links once, other file systems left out."""
        data = self.mountpoint(name)
        try:
            return _tree_size(str(data), data.stat().st_dev, set())
        except FileNotFoundError:
            return 0

    @staticmethod
    def _is_mounted(data: Path) -> bool:
        wanted = str(data.parent.resolve() / data.name)
        return any(entry.target == wanted for entry in mountinfo())


def check_options(options: Mapping[str, str]) -> None:
    """Raises InvalidParameter, in Docker's words, for options that the local driver refuses."""
    for key in options:
        if key not in OPTIONS:
            raise InvalidParameter(f'invalid option: "{key}"')
    if "size" in options:
        raise InvalidParameter("quota size requested but no quota support")
    if options:
        for key in _REQUIRED:
            if not options.get(key):
                raise InvalidParameter(f'missing required option: "{key}"')


def _resolved(fstype: str, options: str) -> str:
    """NFS and CIFS take addresses only: the kernel does not resolve the name after `addr=`."""
    if fstype not in ("nfs", "nfs4", "cifs"):
        return options
    parts = []
    for part in options.split(","):
        key, _, value = part.partition("=")
        if key == "addr":
            try:
                found = socket.getaddrinfo(value, None, type=socket.SOCK_STREAM)
            except socket.gaierror as error:
                raise VolumeMountFailed(
                    f"error resolving passed in network volume address {value}: {error.strerror}"
                ) from None
            parts.append(f"addr={found[0][4][0]}")
        else:
            parts.append(part)
    return ",".join(parts)


def _tree_size(path: str, device: int, seen: set[int]) -> int:
    total = 0
    try:
        entries = os.scandir(path)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.EACCES, errno.ENOTDIR):
            return 0  # it went, or is another's, while we look: what is left counts
        raise
    with entries:
        for entry in entries:
            try:
                status = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue
            if status.st_dev != device:
                continue
            if status.st_nlink > 1 and not entry.is_dir(follow_symlinks=False):
                if status.st_ino in seen:
                    continue
                seen.add(status.st_ino)
            if entry.is_dir(follow_symlinks=False):
                total += _tree_size(entry.path, device, seen)
            else:
                total += status.st_size
    return total
