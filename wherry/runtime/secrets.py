"""Secrets as files of a memory file system that no other process has ever seen."""

import errno
import os

from wherry.linux import mount as km
from wherry.linux.syscall import SyscallError
from wherry.runtime import operations as op
from wherry.runtime.context import Context
from wherry.runtime.targets import open_target

_ATTRIBUTES = (
    km.MOUNT_ATTR_RDONLY | km.MOUNT_ATTR_NOSUID | km.MOUNT_ATTR_NODEV | km.MOUNT_ATTR_NOEXEC
)


def place_secrets(step: op.PlaceSecrets, context: Context) -> None:
    """Writes each secret and mounts it, read-only, on its path in the root.

    The file system lies over the root while its files are bound: parts of a mount that is nowhere
    can be bound only since Linux 6.15.
    """
    tree = _memory_file_system()
    try:
        km.move_mount(tree, context.root)
        try:
            bound = [_bound(tree, str(n), file) for n, file in enumerate(step.files)]
        finally:
            km.umount2(f"/proc/self/fd/{tree}", km.MNT_DETACH)
    finally:
        os.close(tree)
    for descriptor, file in zip(bound, step.files, strict=True):
        target = open_target(context.root, file.target, file=True)
        try:
            km.move_mount(descriptor, target)
        finally:
            os.close(target)
            os.close(descriptor)


def _memory_file_system() -> int:
    options = ["mode=0700", "noswap"]
    while True:
        try:
            return km.filesystem("tmpfs", "secrets", options)
        except SyscallError as error:
            # Before Linux 6.4, and in user namespaces, tmpfs may be swapped out.
            if error.errno not in (errno.EINVAL, errno.EPERM) or "noswap" not in options:
                raise
            options.remove("noswap")


def _bound(tree: int, name: str, file: op.SecretFile) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    with os.fdopen(os.open(name, flags, 0o600, dir_fd=tree), "wb") as stream:
        stream.write(file.content)
        os.fchown(stream.fileno(), file.uid, file.gid)
        os.fchmod(stream.fileno(), file.mode)
    opened = os.open(name, os.O_PATH | os.O_CLOEXEC, dir_fd=tree)
    try:
        clone = km.clone_tree(opened, recursive=False)
    finally:
        os.close(opened)
    km.mount_setattr(clone, set_attributes=_ATTRIBUTES)
    return clone
