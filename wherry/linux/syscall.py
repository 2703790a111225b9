"""System calls by number, and the error that names the call and its object.

Numbers are those of the kernel's `asm/unistd.h`; from 424 on they are the same on every
architecture (Linux 5.1 and later).
"""

import ctypes
import os

_LIBC = ctypes.CDLL(None, use_errno=True)
_SYSCALL = _LIBC.syscall
_SYSCALL.restype = ctypes.c_long

_BY_MACHINE: dict[str, dict[str, int]] = {
    "x86_64": {
        "rt_sigaction": 13,
        "capget": 125, "capset": 126, "prctl": 157, "pivot_root": 155, "sethostname": 170,
        "setdomainname": 171, "umount2": 166, "mount": 165, "keyctl": 250, "unshare": 272,
        "setns": 308, "seccomp": 317, "bpf": 321, "execveat": 322, "getrandom": 318,
        "inotify_init1": 294, "inotify_add_watch": 254, "inotify_rm_watch": 255,
        "setxattr": 188, "lsetxattr": 189, "close_range": 436, "mknodat": 259,
        "utimensat": 280, "fchownat": 260, "setgroups": 116, "setresuid": 117, "setresgid": 119,
    },
    "aarch64": {
        "rt_sigaction": 134,
        "capget": 90, "capset": 91, "prctl": 167, "pivot_root": 41, "sethostname": 161,
        "setdomainname": 162, "umount2": 39, "mount": 40, "keyctl": 219, "unshare": 97,
        "setns": 268, "seccomp": 277, "bpf": 280, "execveat": 281, "getrandom": 278,
        "inotify_init1": 26, "inotify_add_watch": 27, "inotify_rm_watch": 28,
        "setxattr": 5, "lsetxattr": 6, "close_range": 436, "mknodat": 33,
        "utimensat": 88, "fchownat": 54, "setgroups": 159, "setresuid": 147, "setresgid": 149,
    },
}  # fmt: skip

_EVERYWHERE: dict[str, int] = {
    "pidfd_send_signal": 424, "open_tree": 428, "move_mount": 429, "fsopen": 430,
    "fsconfig": 431, "fsmount": 432, "pidfd_open": 434, "clone3": 435, "openat2": 437,
    "pidfd_getfd": 438, "mount_setattr": 442, "statmount": 457,
}  # fmt: skip

NUMBERS: dict[str, int] = {**_BY_MACHINE.get(os.uname().machine, {}), **_EVERYWHERE}
"""The number of each system call used, on this machine."""

AT_FDCWD = -100
AT_EMPTY_PATH = 0x1000
AT_RECURSIVE = 0x8000
AT_SYMLINK_NOFOLLOW = 0x100


class SyscallError(OSError):
    """A system call failed: `errno` as the kernel gave it, `call` its name, `path` its object."""

    def __init__(self, errno: int, call: str, path: str = "") -> None:
        super().__init__(errno, os.strerror(errno))
        self.call = call
        self.path = path

    def __str__(self) -> str:
        reason = (self.strerror or "").lower()
        return f"{self.call} {self.path}: {reason}" if self.path else f"{self.call}: {reason}"

    def __reduce__(self) -> tuple[type["SyscallError"], tuple[int, str, str]]:
        return SyscallError, (self.errno or 0, self.call, self.path)


def syscall(name: str, *arguments: object, path: str = "") -> int:
    """Makes the named system call and returns its result; raises SyscallError.

    Integers are passed as long; bytes and ctypes objects as pointers; None as a null pointer.
    """
    converted = [
        ctypes.c_long(argument) if isinstance(argument, int) else argument for argument in arguments
    ]
    result: int = _SYSCALL(ctypes.c_long(NUMBERS[name]), *converted)
    if result < 0:
        raise SyscallError(ctypes.get_errno(), name, path)
    return result
