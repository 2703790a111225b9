"""Mounts: mount(2), the new mount API (Linux 5.2), pivot_root(2), /proc/PID/mountinfo."""

import ctypes
import os
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from wherry.linux.syscall import AT_EMPTY_PATH, AT_FDCWD, AT_RECURSIVE, syscall

MS_RDONLY = 0x1
MS_NOSUID = 0x2
MS_NODEV = 0x4
MS_NOEXEC = 0x8
MS_SYNCHRONOUS = 0x10
MS_REMOUNT = 0x20
MS_MANDLOCK = 0x40
MS_DIRSYNC = 0x80
MS_NOSYMFOLLOW = 0x100
MS_NOATIME = 0x400
MS_NODIRATIME = 0x800
MS_BIND = 0x1000
MS_MOVE = 0x2000
MS_REC = 0x4000
MS_UNBINDABLE = 0x20000
MS_PRIVATE = 0x40000
MS_SLAVE = 0x80000
MS_SHARED = 0x100000
MS_RELATIME = 0x200000
MS_STRICTATIME = 0x1000000

MNT_DETACH = 0x2
UMOUNT_NOFOLLOW = 0x8

MOUNT_ATTR_RDONLY = 0x1
MOUNT_ATTR_NOSUID = 0x2
MOUNT_ATTR_NODEV = 0x4
MOUNT_ATTR_NOEXEC = 0x8
MOUNT_ATTR_ATIME = 0x70
MOUNT_ATTR_NOATIME = 0x10
MOUNT_ATTR_STRICTATIME = 0x20
MOUNT_ATTR_NODIRATIME = 0x80
MOUNT_ATTR_IDMAP = 0x100000
MOUNT_ATTR_NOSYMFOLLOW = 0x200000

OPEN_TREE_CLONE = 0x1
OPEN_TREE_CLOEXEC = os.O_CLOEXEC
MOVE_MOUNT_F_EMPTY_PATH = 0x4
MOVE_MOUNT_T_EMPTY_PATH = 0x40
FSOPEN_CLOEXEC = 0x1
FSMOUNT_CLOEXEC = 0x1
_FSCONFIG_SET_FLAG = 0
_FSCONFIG_SET_STRING = 1
_FSCONFIG_SET_FD = 5
_FSCONFIG_CMD_CREATE = 6

_FLAG_OPTIONS: dict[str, tuple[int, int]] = {
    "ro": (MS_RDONLY, 0), "rw": (0, MS_RDONLY),
    "nosuid": (MS_NOSUID, 0), "suid": (0, MS_NOSUID),
    "nodev": (MS_NODEV, 0), "dev": (0, MS_NODEV),
    "noexec": (MS_NOEXEC, 0), "exec": (0, MS_NOEXEC),
    "sync": (MS_SYNCHRONOUS, 0), "async": (0, MS_SYNCHRONOUS),
    "dirsync": (MS_DIRSYNC, 0), "remount": (MS_REMOUNT, 0),
    "mand": (MS_MANDLOCK, 0), "nomand": (0, MS_MANDLOCK),
    "noatime": (MS_NOATIME, 0), "atime": (0, MS_NOATIME),
    "nodiratime": (MS_NODIRATIME, 0), "diratime": (0, MS_NODIRATIME),
    "relatime": (MS_RELATIME, 0), "norelatime": (0, MS_RELATIME),
    "strictatime": (MS_STRICTATIME, 0), "nostrictatime": (0, MS_STRICTATIME),
    "nosymfollow": (MS_NOSYMFOLLOW, 0), "symfollow": (0, MS_NOSYMFOLLOW),
    "bind": (MS_BIND, 0), "rbind": (MS_BIND | MS_REC, 0), "defaults": (0, 0),
}  # fmt: skip

PROPAGATION: dict[str, int] = {
    "private": MS_PRIVATE, "rprivate": MS_PRIVATE | MS_REC,
    "slave": MS_SLAVE, "rslave": MS_SLAVE | MS_REC,
    "shared": MS_SHARED, "rshared": MS_SHARED | MS_REC,
    "unbindable": MS_UNBINDABLE, "runbindable": MS_UNBINDABLE | MS_REC,
}  # fmt: skip

_RECURSIVE_ATTRIBUTES: dict[str, tuple[int, int]] = {
    "rro": (MOUNT_ATTR_RDONLY, 0), "rrw": (0, MOUNT_ATTR_RDONLY),
    "rnosuid": (MOUNT_ATTR_NOSUID, 0), "rsuid": (0, MOUNT_ATTR_NOSUID),
    "rnodev": (MOUNT_ATTR_NODEV, 0), "rdev": (0, MOUNT_ATTR_NODEV),
    "rnoexec": (MOUNT_ATTR_NOEXEC, 0), "rexec": (0, MOUNT_ATTR_NOEXEC),
}  # fmt: skip

_FLAG_ATTRIBUTES: tuple[tuple[int, int], ...] = (
    (MS_RDONLY, MOUNT_ATTR_RDONLY), (MS_NOSUID, MOUNT_ATTR_NOSUID),
    (MS_NODEV, MOUNT_ATTR_NODEV), (MS_NOEXEC, MOUNT_ATTR_NOEXEC),
    (MS_NODIRATIME, MOUNT_ATTR_NODIRATIME), (MS_NOSYMFOLLOW, MOUNT_ATTR_NOSYMFOLLOW),
)  # fmt: skip


OPTION_NAMES = (*_FLAG_OPTIONS, *PROPAGATION, *_RECURSIVE_ATTRIBUTES, "tmpcopyup")
"""Options that are not passed on to the file system as its own data."""


class MountOptions(NamedTuple):
    """Options of mount(8) sorted by what the kernel takes them for."""

    flags: int
    propagation: int
    attributes_set: int
    attributes_clear: int
    data: tuple[str, ...]
    copy_up: bool


class MountInfo(NamedTuple):
    """One line of /proc/PID/mountinfo (proc(5))."""

    mount_id: int
    parent_id: int
    root: str
    target: str
    options: str
    optional: tuple[str, ...]
    type: str
    source: str
    super_options: str


class _MountAttr(ctypes.Structure):
    _fields_ = (
        ("attr_set", ctypes.c_uint64),
        ("attr_clr", ctypes.c_uint64),
        ("propagation", ctypes.c_uint64),
        ("userns_fd", ctypes.c_uint64),
    )


def parse_mount_options(options: Iterable[str]) -> MountOptions:
    """Sorts mount options; a later option overrides an earlier one.

    `tmpcopyup` (runc's extension) asks to fill a new tmpfs with what the image has there.
    """
    flags = propagation = attributes_set = attributes_clear = 0
    data: list[str] = []
    copy_up = False
    for option in options:
        if option in _FLAG_OPTIONS:
            add, drop = _FLAG_OPTIONS[option]
            flags = (flags & ~drop) | add
        elif option in PROPAGATION:
            propagation = PROPAGATION[option]
        elif option in _RECURSIVE_ATTRIBUTES:
            add, drop = _RECURSIVE_ATTRIBUTES[option]
            attributes_set = (attributes_set & ~drop) | add
            attributes_clear |= drop
        elif option == "tmpcopyup":
            copy_up = True
        elif option:
            data.append(option)
    return MountOptions(flags, propagation, attributes_set, attributes_clear, tuple(data), copy_up)


def mount_attributes(flags: int) -> int:
    """MOUNT_ATTR_* of the MS_* flags that belong to a mount and not to its file system."""
    attributes = 0
    for flag, attribute in _FLAG_ATTRIBUTES:
        if flags & flag:
            attributes |= attribute
    if flags & MS_NOATIME:
        attributes |= MOUNT_ATTR_NOATIME
    elif flags & MS_STRICTATIME:
        attributes |= MOUNT_ATTR_STRICTATIME
    return attributes


def mount(source: str, target: str, fstype: str, flags: int = 0, data: str = "") -> None:
    """mount(2); raises SyscallError naming the target."""
    syscall(
        "mount", os.fsencode(source), os.fsencode(target), fstype.encode(), flags,
        os.fsencode(data) if data else None, path=target,
    )  # fmt: skip


def umount2(target: str, flags: int = 0) -> None:
    """umount2(2); raises SyscallError naming the target."""
    syscall("umount2", os.fsencode(target), flags, path=target)


def set_propagation(target: str, flags: int) -> None:
    """Changes how a mount shares events with its peers (MS_PRIVATE, MS_SLAVE, ... | MS_REC)."""
    mount("none", target, "", flags)


def pivot_root(new_root: str, put_old: str) -> None:
    """pivot_root(2); both `.` stacks the old root over the new one, to be detached next."""
    syscall("pivot_root", os.fsencode(new_root), os.fsencode(put_old), path=new_root)


def fsopen(fstype: str) -> int:
    """fsopen(2): a context to configure a new file system."""
    return syscall("fsopen", fstype.encode(), FSOPEN_CLOEXEC, path=fstype)


def fsconfig_string(context: int, key: str, value: str) -> None:
    """Sets one `key=value` of a file system context."""
    syscall(
        "fsconfig", context, _FSCONFIG_SET_STRING, key.encode(), os.fsencode(value), 0,
        path=f"{key}={value}",
    )  # fmt: skip


def fsconfig_flag(context: int, key: str) -> None:
    """Sets one valueless option of a file system context."""
    syscall("fsconfig", context, _FSCONFIG_SET_FLAG, key.encode(), None, 0, path=key)


def fsconfig_fd(context: int, key: str, descriptor: int) -> None:
    """Gives an option of a file system context a descriptor for its value."""
    syscall("fsconfig", context, _FSCONFIG_SET_FD, key.encode(), None, descriptor, path=key)


def fsmount(context: int, attributes: int = 0) -> int:
    """Makes the configured file system and returns a detached mount of it."""
    syscall("fsconfig", context, _FSCONFIG_CMD_CREATE, None, None, 0)
    return syscall("fsmount", context, FSMOUNT_CLOEXEC, attributes)


def filesystem(fstype: str, source: str, options: Sequence[str], attributes: int = 0) -> int:
    """A detached mount of a new file system with options in the form of mount(8)."""
    context = fsopen(fstype)
    try:
        if source:
            fsconfig_string(context, "source", source)
        for option in options:
            key, equals, value = option.partition("=")
            if equals:
                fsconfig_string(context, key, value)
            else:
                fsconfig_flag(context, key)
        return fsmount(context, attributes)
    finally:
        os.close(context)


def open_tree(directory: int, path: str, flags: int) -> int:
    """open_tree(2); with OPEN_TREE_CLONE the result is a detached copy of the mount."""
    return syscall("open_tree", directory, os.fsencode(path), flags | OPEN_TREE_CLOEXEC, path=path)


def clone_tree(path: str | int, *, recursive: bool) -> int:
    """A detached bind of a path, or of what a descriptor stands for."""
    flags = OPEN_TREE_CLONE | (AT_RECURSIVE if recursive else 0)
    if isinstance(path, int):
        return open_tree(path, "", flags | AT_EMPTY_PATH)
    return open_tree(AT_FDCWD, path, flags)


def move_mount(tree: int, target: int | str) -> None:
    """Attaches a detached mount on a path, or on what a descriptor stands for."""
    if isinstance(target, int):
        syscall(
            "move_mount", tree, b"", target, b"",
            MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH, path=f"fd {target}",
        )  # fmt: skip
    else:
        syscall(
            "move_mount", tree, b"", AT_FDCWD, os.fsencode(target), MOVE_MOUNT_F_EMPTY_PATH,
            path=target,
        )  # fmt: skip


def mount_setattr(
    tree: int,
    *,
    set_attributes: int = 0,
    clear_attributes: int = 0,
    propagation: int = 0,
    user_namespace: int | None = None,
    recursive: bool = False,
) -> None:
    """mount_setattr(2) (Linux 5.12) on the mount that a descriptor stands for."""
    attr = _MountAttr(
        set_attributes | (MOUNT_ATTR_IDMAP if user_namespace is not None else 0),
        clear_attributes, propagation, user_namespace or 0,
    )  # fmt: skip
    syscall(
        "mount_setattr", tree, b"", AT_EMPTY_PATH | (AT_RECURSIVE if recursive else 0),
        ctypes.byref(attr), ctypes.sizeof(attr),
    )  # fmt: skip


def filesystem_of(path: str) -> str:
    """The type of the file system that a path is on: that of the last mount above it."""
    below = os.path.realpath(path)
    above = [item for item in mountinfo()
             if item.target == "/" or f"{below}/".startswith(f"{item.target}/")]  # fmt: skip
    return max(above, key=lambda item: (len(item.target), item.mount_id)).type if above else ""


def mountinfo(pid: int | str = "self") -> list[MountInfo]:
    """The mounts that a process sees, in order."""
    with open(f"/proc/{pid}/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
        return [_parse_mountinfo(line) for line in file]


def _parse_mountinfo(line: str) -> MountInfo:
    fields = line.split()
    dash = fields.index("-", 6)
    return MountInfo(
        int(fields[0]), int(fields[1]), _unescape(fields[3]), _unescape(fields[4]), fields[5],
        tuple(fields[6:dash]), fields[dash + 1], _unescape(fields[dash + 2]), fields[dash + 3],
    )  # fmt: skip


def _unescape(text: str) -> str:
    if "\\" not in text:
        return text
    for code, char in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        text = text.replace(code, char)
    return text
