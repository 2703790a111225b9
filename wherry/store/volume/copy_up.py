"""What an image has where a new volume is mounted goes into the volume, once.

A task: runs in a child of the zygote. Nothing is followed out of the image's tree: its path is
opened in a root of its own, and everything below by descriptor and without following links.
"""

import errno
import os
from collections.abc import Callable

import msgspec

from wherry.linux.fd import openat2
from wherry.linux.overlay import overlay
from wherry.linux.syscall import SyscallError
from wherry.linux.tree import copy_tree


class CopyUpRequest(msgspec.Struct, frozen=True):
    """The overlay options of a container's root, or its directory, and the path in it."""

    options: tuple[str, ...]
    path: str
    directory: str = ""


def copy_up_task(
    parameters: bytes, descriptors: list[int], report: Callable[[bytes], None]
) -> bytes:
    """Fills the empty directory of descriptor 0; `yes` if the image has that directory."""
    request = msgspec.json.decode(parameters, type=CopyUpRequest)
    target = descriptors[0]
    os.umask(0)
    if request.directory:
        root = os.open(request.directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    else:
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
