"""Mounts that come to, and go from, a container that runs; in children of the zygote."""

import errno
import os
import stat
from collections.abc import Callable

import msgspec

from wherry.linux import mount as km
from wherry.linux.fd import openat2
from wherry.linux.syscall import SyscallError
from wherry.model.mount import Mount
from wherry.runtime.enter import join_container
from wherry.runtime.targets import open_target
from wherry.runtime.trees import IdMappings, make_tree

ATTACH_TASK, DETACH_TASK = "mount.attach", "mount.detach"


class LiveMount(msgspec.Struct, frozen=True):
    """A mount of a running container; its process is told by id and start time (proc(5))."""

    pid: int
    start_time: int
    mount: Mount


def attach_task(
    parameters: bytes, descriptors: list[int], report: Callable[[bytes], None]
) -> bytes:
    """Makes a tree in the host's namespace and attaches it in the container's.

    Raises StartFailed in the words of a start, NotFound if the container has ended.
    """
    wanted = msgspec.json.decode(parameters, type=LiveMount)
    mappings = IdMappings()
    tree = make_tree(wanted.mount, mappings)
    mappings.close()
    join_container(wanted.pid, wanted.start_time)
    root = os.open("/", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    is_file = not stat.S_ISDIR(os.fstat(tree).st_mode)
    km.move_mount(tree, open_target(root, wanted.mount.target, file=is_file))
    return b""


def detach_task(
    parameters: bytes, descriptors: list[int], report: Callable[[bytes], None]
) -> bytes:
    """Takes a mount out of the container's sight; who has files of it open keeps them."""
    wanted = msgspec.json.decode(parameters, type=LiveMount)
    join_container(wanted.pid, wanted.start_time)
    root = os.open("/", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        target = openat2(root, wanted.mount.target, os.O_PATH)
        # /proc may be the container's own work by now: change to a directory instead of naming it.
        if stat.S_ISDIR(os.fstat(target).st_mode):
            os.fchdir(target)
            km.umount2(".", km.MNT_DETACH)
        else:
            km.umount2(wanted.mount.target, km.MNT_DETACH | km.UMOUNT_NOFOLLOW)
    except SyscallError as error:
        if error.errno not in (errno.EINVAL, errno.ENOENT):
            raise
        # Nothing is mounted there any more: the container was faster.
    return b""
