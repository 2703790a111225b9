"""Processes: pidfds, prctl(2), identity across reuse and reboots."""

import ctypes
import errno
import os
import signal
import sys
from importlib.machinery import BuiltinImporter, FrozenImporter

from wherry.linux.syscall import SyscallError, syscall

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_KEEPCAPS = 8
PR_SET_SECUREBITS = 28
PR_SET_CHILD_SUBREAPER = 36
PR_SET_NO_NEW_PRIVS = 38


def pidfd_open(pid: int) -> int:
    """A descriptor of a process, readable when it has ended (pidfd_open(2), Linux 5.3)."""
    return os.pidfd_open(pid)


def pidfd_send_signal(pidfd: int, number: int) -> None:
    """Signals the process that the descriptor stands for; raises ProcessLookupError if gone."""
    signal.pidfd_send_signal(pidfd, number)


def process_start_time(pid: int) -> int | None:
    """When a process started, in clock ticks since boot; None if there is no such process.

    With the pid it names a process for as long as the machine is up (proc(5), stat field 22).
    """
    try:
        fields = _read(f"/proc/{pid}/stat").rpartition(b")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    if fields[0] in (b"Z", b"X"):
        return None
    return int(fields[19])


def boot_id() -> str:
    """The identity of this boot of the machine (random(4))."""
    return _read("/proc/sys/kernel/random/boot_id").decode().strip()


def _read(path: str) -> bytes:
    """A short file of the kernel's, without the buffers and decoders that a fork would pay for."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(descriptor, 4096)
    finally:
        os.close(descriptor)


def _prctl(option: int, value: int, name: str) -> None:
    syscall("prctl", option, value, 0, 0, 0, path=name)


def set_parent_death_signal(number: int) -> None:
    """Asks for a signal when the parent dies (cleared by execve of a setuid program)."""
    _prctl(PR_SET_PDEATHSIG, number, "PR_SET_PDEATHSIG")


def die_with(parent: int) -> None:
    """Has the process killed when this parent ends, at once if that has happened already."""
    set_parent_death_signal(signal.SIGKILL)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def set_dumpable(allowed: bool) -> None:
    """Whether others may ptrace the process and read its /proc files."""
    _prctl(PR_SET_DUMPABLE, int(allowed), "PR_SET_DUMPABLE")


def set_keep_capabilities(keep: bool) -> None:
    """Whether permitted capabilities stay when all user ids leave 0."""
    _prctl(PR_SET_KEEPCAPS, int(keep), "PR_SET_KEEPCAPS")


def set_child_subreaper() -> None:
    """Makes orphans below this process its children."""
    _prctl(PR_SET_CHILD_SUBREAPER, 1, "PR_SET_CHILD_SUBREAPER")


def set_no_new_privileges() -> None:
    """Takes from execve the power to give privileges (Linux 3.5)."""
    _prctl(PR_SET_NO_NEW_PRIVS, 1, "PR_SET_NO_NEW_PRIVS")


def set_name(name: str) -> None:
    """The name that ps shows, cut to 15 bytes (proc_pid_comm(5))."""
    descriptor = os.open("/proc/self/comm", os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, name.encode()[:15])
    finally:
        os.close(descriptor)


_THREADS_SIGNALS = (32, 33)


def reset_signals() -> None:
    """Every signal at its default and none blocked, as execve(2) leaves ignored ones ignored.

    By system call (rt_sigaction(2)), since the C library keeps 32 and 33 for itself; those that
    are caught execve resets anyway.
    """
    default = ctypes.create_string_buffer(32)  # the kernel's struct sigaction, all zero
    for number in range(1, 65):
        if number in _THREADS_SIGNALS or signal.getsignal(number) is signal.SIG_IGN:
            syscall("rt_sigaction", number, default, None, 8)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def set_oom_score(score: int) -> bool:
    """Sets /proc/self/oom_score_adj; False if the kernel refuses to lower it."""
    try:
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write(str(score))
    except PermissionError:
        return False
    return True


def forbid_imports() -> None:
    """Leaves only what is in the interpreter to import.

    After a change of root the import path names the container's files: a module loaded late would
    be its code, run with the host's privileges.
    """
    sys.meta_path[:] = [BuiltinImporter, FrozenImporter]


def sethostname(name: str) -> None:
    """sethostname(2) in the caller's UTS namespace."""
    encoded = os.fsencode(name)
    syscall("sethostname", encoded, len(encoded), path=name)


def setdomainname(name: str) -> None:
    """setdomainname(2) in the caller's UTS namespace."""
    encoded = os.fsencode(name)
    syscall("setdomainname", encoded, len(encoded), path=name)


def join_session_keyring(name: str) -> None:
    """A new session keyring, so that the host's is out of reach (keyctl(2)); absent is fine."""
    try:
        syscall("keyctl", 1, name.encode() + b"\0", 0, 0, 0)
    except SyscallError as error:
        if error.errno not in (errno.ENOSYS, errno.EPERM, errno.EDQUOT):
            raise
