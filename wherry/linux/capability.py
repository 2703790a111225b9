"""Capabilities: capabilities(7), capset(2)."""

import ctypes
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from wherry.linux.syscall import SyscallError, syscall

NAMES: tuple[str, ...] = (
    "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID",
    "CAP_KILL", "CAP_SETGID", "CAP_SETUID", "CAP_SETPCAP", "CAP_LINUX_IMMUTABLE",
    "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST", "CAP_NET_ADMIN", "CAP_NET_RAW",
    "CAP_IPC_LOCK", "CAP_IPC_OWNER", "CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_SYS_CHROOT",
    "CAP_SYS_PTRACE", "CAP_SYS_PACCT", "CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_NICE",
    "CAP_SYS_RESOURCE", "CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG", "CAP_MKNOD", "CAP_LEASE",
    "CAP_AUDIT_WRITE", "CAP_AUDIT_CONTROL", "CAP_SETFCAP", "CAP_MAC_OVERRIDE",
    "CAP_MAC_ADMIN", "CAP_SYSLOG", "CAP_WAKE_ALARM", "CAP_BLOCK_SUSPEND", "CAP_AUDIT_READ",
    "CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE",
)  # fmt: skip
"""The capabilities by number (linux/capability.h, Linux 5.9)."""

NUMBERS: dict[str, int] = {name: number for number, name in enumerate(NAMES)}

DEFAULT: tuple[str, ...] = (
    "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER", "CAP_MKNOD", "CAP_NET_RAW",
    "CAP_SETGID", "CAP_SETUID", "CAP_SETFCAP", "CAP_SETPCAP", "CAP_NET_BIND_SERVICE",
    "CAP_SYS_CHROOT", "CAP_KILL", "CAP_AUDIT_WRITE",
)  # fmt: skip
"""What Docker leaves a container by default."""

_VERSION_3 = 0x20080522
_PR_CAPBSET_READ = 23
_PR_CAPBSET_DROP = 24
_PR_CAP_AMBIENT = 47


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Data(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


def mask(names: Iterable[str]) -> int:
    """The bit set of capability names; raises KeyError for a name that does not exist."""
    bits = 0
    for name in names:
        bits |= 1 << NUMBERS[name]
    return bits


def last_capability() -> int:
    """The highest capability that the running kernel knows."""
    with open("/proc/sys/kernel/cap_last_cap") as file:
        return int(file.read())


def capget() -> tuple[int, int, int]:
    """The caller's effective, permitted and inheritable bit sets."""
    header = _Header(_VERSION_3, 0)
    data = (_Data * 2)()
    syscall("capget", ctypes.byref(header), ctypes.byref(data))
    return (
        data[0].effective | data[1].effective << 32,
        data[0].permitted | data[1].permitted << 32,
        data[0].inheritable | data[1].inheritable << 32,
    )


def capset(effective: int, permitted: int, inheritable: int) -> None:
    """Sets the caller's capability sets; raises SyscallError EPERM if they would grow."""
    header = _Header(_VERSION_3, 0)
    low = 0xFFFFFFFF
    data = (_Data * 2)(
        _Data(effective & low, permitted & low, inheritable & low),
        _Data(effective >> 32, permitted >> 32, inheritable >> 32),
    )
    syscall("capset", ctypes.byref(header), ctypes.byref(data))


def effective_names() -> frozenset[str]:
    """Names of the caller's effective capabilities."""
    effective, _, _ = capget()
    return frozenset(name for number, name in enumerate(NAMES) if effective >> number & 1)


def set_bounding(keep: int) -> None:
    """Drops from the bounding set every capability that `keep` lacks."""
    for number in range(last_capability() + 1):
        if keep >> number & 1:
            continue
        syscall("prctl", _PR_CAPBSET_DROP, number, 0, 0, 0, path=NAMES[number])


def set_ambient(names: int) -> None:
    """Makes the ambient set exactly `names`, each of which must be inheritable."""
    try:
        syscall("prctl", _PR_CAP_AMBIENT, 4, 0, 0, 0, path="ambient capabilities")
    except SyscallError:
        if names:
            raise
        return  # before Linux 4.3 there is no ambient set to clear
    for number in range(last_capability() + 1):
        if names >> number & 1:
            syscall("prctl", _PR_CAP_AMBIENT, 2, number, 0, 0, path=NAMES[number])


@contextmanager
def acting_as(uid: int, gid: int) -> Iterator[None]:
    """Has these effective ids for a moment, with every capability kept (credentials(7)).

    Only for single-threaded processes. The dumpable flag and the parent-death signal are lost.
    """
    effective, permitted, inheritable = capget()
    os.setegid(gid)
    os.seteuid(uid)
    try:
        capset(effective, permitted, inheritable)
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        capset(effective, permitted, inheritable)
