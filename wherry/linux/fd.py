"""Descriptors: resolution inside a root, sealed memory files, sets of them, locks."""

import ctypes
import errno
import fcntl
import os
import socket
import termios
from collections.abc import Sequence

from wherry.linux.seal import SEALS
from wherry.linux.syscall import SyscallError, syscall

RESOLVE_NO_XDEV = 0x01
RESOLVE_NO_MAGICLINKS = 0x02
RESOLVE_NO_SYMLINKS = 0x04
RESOLVE_BENEATH = 0x08
RESOLVE_IN_ROOT = 0x10


class _OpenHow(ctypes.Structure):
    _fields_ = (
        ("flags", ctypes.c_uint64),
        ("mode", ctypes.c_uint64),
        ("resolve", ctypes.c_uint64),
    )


def openat2(
    directory: int, path: str, flags: int, *, mode: int = 0, resolve: int = RESOLVE_IN_ROOT
) -> int:
    """openat2(2) (Linux 5.6): opens `path` below `directory`, which it cannot leave.

    Retries EAGAIN, which the kernel answers when a rename raced the walk. Raises SyscallError.
    """
    how = _OpenHow(flags | os.O_CLOEXEC, mode, resolve)
    for attempt in range(128):
        try:
            return syscall(
                "openat2", directory, os.fsencode(path), ctypes.byref(how),
                ctypes.sizeof(how), path=path,
            )  # fmt: skip
        except SyscallError as error:
            if error.errno not in (errno.EAGAIN, errno.EINTR) or attempt == 127:
                raise
    raise AssertionError("unreachable")


def sealed_memfd(name: str, content: bytes) -> int:
    """An anonymous file with `content` that nobody can change any more (memfd_create(2))."""
    descriptor = os.memfd_create(name, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        view = memoryview(content)
        while view:
            view = view[os.write(descriptor, view) :]
        os.lseek(descriptor, 0, os.SEEK_SET)
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, SEALS)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def read_whole(descriptor: int) -> bytes:
    """The content of a regular or memory file from its start, whatever its offset is."""
    size = os.fstat(descriptor).st_size
    parts: list[bytes] = []
    done = 0
    while done < size:
        part = os.pread(descriptor, size - done, done)
        if not part:
            break
        parts.append(part)
        done += len(part)
    return b"".join(parts)


def close_range(first: int, last: int = 0xFFFFFFFF) -> None:
    """Closes all descriptors from `first` to `last` (close_range(2), Linux 5.9)."""
    try:
        syscall("close_range", first, last, 0)
    except SyscallError as error:
        if error.errno != errno.ENOSYS:
            raise
        os.closerange(first, min(last, os.sysconf("SC_OPEN_MAX")))


def set_cloexec_from(first: int) -> None:
    """Marks all descriptors from `first` on to close at exec (Linux 5.11, else one by one)."""
    try:
        syscall("close_range", first, 0xFFFFFFFF, 4)
    except SyscallError as error:
        if error.errno not in (errno.ENOSYS, errno.EINVAL):
            raise
        for name in os.listdir("/proc/self/fd"):
            if int(name) >= first:
                try:
                    os.set_inheritable(int(name), False)
                except OSError as closed:
                    if closed.errno != errno.EBADF:
                        raise


def send_message(connection: socket.socket, data: bytes, descriptors: Sequence[int] = ()) -> None:
    """Sends one message of a SOCK_SEQPACKET connection with descriptors (SCM_RIGHTS)."""
    socket.send_fds(connection, [data], list(descriptors))


def receive_message(
    connection: socket.socket, size: int = 1 << 16, descriptors: int = 16
) -> tuple[bytes, list[int]]:
    """One message and its descriptors, closed at exec; empty bytes are the end.

    Raises OSError EMSGSIZE if the message was cut, after closing what came with it.
    """
    data, received, flags, _ = socket.recv_fds(
        connection, size, descriptors, socket.MSG_CMSG_CLOEXEC
    )
    if flags & (socket.MSG_TRUNC | socket.MSG_CTRUNC):
        for descriptor in received:
            os.close(descriptor)
        raise OSError(errno.EMSGSIZE, f"a message is longer than {size} bytes")
    return data, list(received)


def lock_file(descriptor: int, *, shared: bool = False) -> bool:
    """Takes the exclusive lock of an open file (flock(2)), or a shared one.

    False if somebody else has one that excludes it.
    """
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def unread_bytes(connection: int) -> int:
    """Bytes written to a unix stream socket that the other end has not read (SIOCOUTQ, unix(7))."""
    count = ctypes.c_int()
    fcntl.ioctl(connection, termios.TIOCOUTQ, count)
    return count.value


def set_pipe_size(descriptor: int, size: int) -> None:
    """Sets a pipe's capacity in bytes as far as the user's limit lets (F_SETPIPE_SZ)."""
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, size)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.EBUSY):
            raise
