"""Sealed copies of programs, to be executed where a container could reach the original.

Imports next to nothing: `wherry-runtime` asks here before anything else.
"""

import fcntl
import os

SEALS = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE
"""All of memfd_create(2)'s seals: nobody changes the file any more, nor the seals."""


def sealed_copy(name: str, path: str) -> int:
    """A sealed anonymous copy of a file, to be executed without exposing the file itself."""
    source = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        descriptor = os.memfd_create(name, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            size = os.fstat(source).st_size
            sent = 0
            while sent < size:
                sent += os.sendfile(descriptor, source, sent, size - sent)
            fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, SEALS)
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor
    finally:
        os.close(source)


def is_sealed(descriptor: int) -> bool:
    """Whether a descriptor is a memory file that cannot be written any more."""
    try:
        return fcntl.fcntl(descriptor, fcntl.F_GET_SEALS) & fcntl.F_SEAL_WRITE != 0
    except OSError:
        return False


def runs_sealed() -> bool:
    """Whether the caller's own program is a sealed copy."""
    descriptor = os.open("/proc/self/exe", os.O_RDONLY | os.O_CLOEXEC)
    try:
        return is_sealed(descriptor)
    finally:
        os.close(descriptor)
