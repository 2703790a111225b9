"""Namespaces: namespaces(7), unshare(2), setns(2), user_namespaces(7)."""

import errno
import os
from collections.abc import Sequence

from wherry.linux.syscall import SyscallError, syscall

CLONE_NEWTIME = 0x00000080
CLONE_NEWNS = 0x00020000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

KINDS: dict[str, tuple[int, str]] = {
    "user": (CLONE_NEWUSER, "user"),
    "mount": (CLONE_NEWNS, "mnt"),
    "uts": (CLONE_NEWUTS, "uts"),
    "ipc": (CLONE_NEWIPC, "ipc"),
    "pid": (CLONE_NEWPID, "pid"),
    "network": (CLONE_NEWNET, "net"),
    "cgroup": (CLONE_NEWCGROUP, "cgroup"),
    "time": (CLONE_NEWTIME, "time"),
}
"""The OCI name of each namespace, its clone flag and its name below /proc/PID/ns."""

IdRange = tuple[int, int, int]
"""First id inside, first id outside, how many."""


def unshare(flags: int) -> None:
    """unshare(2): moves the caller into new namespaces; raises SyscallError."""
    syscall("unshare", flags)


def setns(descriptor: int, flags: int = 0) -> None:
    """setns(2): joins a namespace, or several of a process given as pidfd (Linux 5.8)."""
    syscall("setns", descriptor, flags)


def namespace_fd(pid: int | str, kind: str) -> int:
    """A descriptor of the namespace of the OCI kind that process `pid` is in."""
    return os.open(f"/proc/{pid}/ns/{KINDS[kind][1]}", os.O_RDONLY | os.O_CLOEXEC)


def supported(kind: str) -> bool:
    """Whether the kernel knows this kind of namespace."""
    return os.path.exists(f"/proc/self/ns/{KINDS[kind][1]}")


def id_map(ranges: Sequence[IdRange]) -> str:
    """The text of a /proc/PID/uid_map."""
    return "".join(f"{inside} {outside} {size}\n" for inside, outside, size in ranges)


def write_id_maps(pid: int, users: Sequence[IdRange], groups: Sequence[IdRange]) -> None:
    """Gives the user namespace of `pid` its ids; raises SyscallError naming the file."""
    for name, ranges in (("uid_map", users), ("gid_map", groups)):
        path = f"/proc/{pid}/{name}"
        try:
            with open(path, "wb", buffering=0) as file:
                file.write(id_map(ranges).encode())
        except OSError as error:
            raise SyscallError(error.errno or errno.EIO, "write", path) from error


def create_user_namespace(users: Sequence[IdRange], groups: Sequence[IdRange]) -> int:
    """A descriptor of a new user namespace with these ids, for idmapped mounts.

    A child makes it and ends; only for single-threaded processes, since it forks.
    """
    asks, told = os.pipe()
    ready, done = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(told)
            unshare(CLONE_NEWUSER)
            os.write(done, b"+")
            os.read(asks, 1)
            status = 0
        finally:
            os._exit(status)
    os.close(asks)
    os.close(done)
    try:
        if os.read(ready, 1) != b"+":
            raise SyscallError(errno.EPERM, "unshare", "user namespace")
        write_id_maps(child, users, groups)
        return namespace_fd(child, "user")
    finally:
        os.close(told)
        os.close(ready)
        os.waitpid(child, 0)
