"""Operations on mounts: trees made by the host, attached by init inside the root.

Every target is resolved with openat2(RESOLVE_IN_ROOT) and mounted by descriptor, so that a
symbolic link in the image, or one exchanged meanwhile, cannot lead outside.
"""

import errno
import os
import stat

from wherry.linux import mount as km
from wherry.linux.fd import openat2
from wherry.linux.process import forbid_imports
from wherry.linux.syscall import AT_FDCWD, SyscallError
from wherry.runtime import operations as op
from wherry.runtime.context import Context
from wherry.runtime.errors import StartFailed
from wherry.runtime.targets import open_target
from wherry.runtime.trees import make_tree

_PROC_SUPER_MAGIC_TYPES = ("proc", "sysfs")


def prepare_tree(step: op.PrepareTree, context: Context) -> None:
    """Makes a detached mount in the host's namespace."""
    mount = step.mount
    try:
        tree = make_tree(mount, context.mappings)
    except SyscallError as error:
        raise StartFailed(
            f'error mounting "{mount.source}" to rootfs at "{mount.target or "/"}": {error}'
        ) from error
    context.trees[step.slot] = tree
    context.tree_is_file[step.slot] = not stat.S_ISDIR(os.fstat(tree).st_mode)


def set_propagation(step: op.SetPropagation, context: Context) -> None:
    """Cuts the copy of the host's mounts from the host's, as far as asked."""
    km.set_propagation("/", step.flags)


def attach_root(step: op.AttachRoot, context: Context) -> None:
    """Attaches the root; from here on everything is resolved below its descriptor."""
    tree = context.trees[step.slot]
    os.makedirs(step.directory, mode=0o711, exist_ok=True)
    # The parent must not be shared, or pivot_root refuses and mounts would leak out.
    km.move_mount(tree, step.directory)
    context.root = os.open(step.directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    km.mount_setattr(context.root, propagation=km.MS_PRIVATE)


def attach_tree(step: op.AttachTree, context: Context) -> None:
    """Attaches a prepared tree on its target."""
    target = open_target(context.root, step.target, file=context.tree_is_file[step.slot])
    try:
        km.move_mount(context.trees[step.slot], target)
    except SyscallError as error:
        raise StartFailed(f'error mounting to rootfs at "{step.target}": {error}') from error
    finally:
        os.close(target)


def mount_filesystem(step: op.MountFilesystem, context: Context) -> None:
    """Mounts a new file system; proc and sysfs only on a directory that is no symbolic link."""
    options = km.parse_mount_options(step.options)
    plain = step.type in _PROC_SUPER_MAGIC_TYPES
    target = open_target(context.root, step.target, file=False, follow=not plain)
    data = list(options.data)
    try:
        copied = _copy_up_source(context, target, options.copy_up)
        tree = km.filesystem(
            step.type, step.source, data + _superblock_flags(options.flags),
            km.mount_attributes(options.flags),
        )  # fmt: skip
        try:
            if copied:
                _copy_tree(copied, tree)
            km.move_mount(tree, target)
            if options.propagation:
                km.mount_setattr(
                    tree, propagation=options.propagation & ~km.MS_REC,
                    recursive=bool(options.propagation & km.MS_REC),
                )  # fmt: skip
        finally:
            os.close(tree)
    except SyscallError as error:
        raise StartFailed(
            f'error mounting "{step.source}" to rootfs at "{step.target}": {error}'
        ) from error
    finally:
        os.close(target)


def _superblock_flags(flags: int) -> list[str]:
    return [name for bit, name in ((km.MS_SYNCHRONOUS, "sync"), (km.MS_DIRSYNC, "dirsync"))
            if flags & bit]  # fmt: skip


def _copy_up_source(context: Context, target: int, wanted: bool) -> int:
    return target if wanted and os.listdir(f"/proc/self/fd/{target}") else 0


def _copy_tree(source: int, destination: int) -> None:
    """Copies what the image has below a directory into a new tmpfs (runc's tmpcopyup)."""
    import shutil

    for name in os.listdir(f"/proc/self/fd/{source}"):
        origin = f"/proc/self/fd/{source}/{name}"
        copy = f"/proc/self/fd/{destination}/{name}"
        if os.path.isdir(origin) and not os.path.islink(origin):
            shutil.copytree(origin, copy, symlinks=True)
        else:
            shutil.copy2(origin, copy, follow_symlinks=False)


def remount_readonly(step: op.RemountReadonly, context: Context) -> None:
    """Makes one mount read-only."""
    if context.pivoted:
        descriptor = os.open(step.path, os.O_PATH | os.O_CLOEXEC)
    else:
        descriptor = openat2(context.root, step.path, os.O_PATH)
    try:
        km.mount_setattr(descriptor, set_attributes=km.MOUNT_ATTR_RDONLY)
    finally:
        os.close(descriptor)


def pivot(step: op.PivotRoot, context: Context) -> None:
    """Exchanges the root; the old one is detached with all that hung below it."""
    forbid_imports()
    os.fchdir(context.root)
    if step.move:
        _move_root()
    else:
        km.pivot_root(".", ".")
        # The old root now lies over the new one: no event of its going may reach the host.
        km.mount("", ".", "", km.MS_SLAVE | km.MS_REC)
        km.umount2(".", km.MNT_DETACH)
    os.chdir("/")
    context.close_trees()
    os.close(context.root)
    context.root = -1
    context.pivoted = True


def _move_root() -> None:
    """Moves the mount of the working directory over the root.

    The host's mounts stay below it: proc and sysfs go first, since they show everybody's things
    to whoever finds a way to them.
    """
    root = os.getcwd()
    for item in reversed(km.mountinfo()):
        inside = item.target == root or item.target.startswith(f"{root}/")
        if item.type in _PROC_SUPER_MAGIC_TYPES and not inside:
            km.set_propagation(item.target, km.MS_SLAVE | km.MS_REC)
            km.umount2(item.target, km.MNT_DETACH)
    km.mount(root, "/", "", km.MS_MOVE)
    os.chroot(".")


def mask(step: op.MaskPath, context: Context) -> None:
    """Hides a path; one that does not exist needs no hiding."""
    try:
        target = os.open(step.path, os.O_PATH | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return
    try:
        if stat.S_ISDIR(os.fstat(target).st_mode):
            tree = km.filesystem("tmpfs", "tmpfs", ["size=0", "nr_inodes=1"],
                                 km.MOUNT_ATTR_RDONLY | km.MOUNT_ATTR_NOSUID
                                 | km.MOUNT_ATTR_NODEV | km.MOUNT_ATTR_NOEXEC)  # fmt: skip
        else:
            tree = _null_device()
        try:
            km.move_mount(tree, target)
        finally:
            os.close(tree)
    finally:
        os.close(target)


def _null_device() -> int:
    """A detached bind of /dev/null, which must be the real device and no image's file."""
    descriptor = os.open("/dev/null", os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISCHR(found.st_mode) or found.st_rdev != os.makedev(1, 3):
            raise StartFailed("/dev/null in the container is not the null device")
        return km.clone_tree(descriptor, recursive=False)
    finally:
        os.close(descriptor)


def readonly(step: op.ReadonlyPath, context: Context) -> None:
    """Binds a path on itself, read-only."""
    try:
        tree = km.open_tree(AT_FDCWD, step.path, km.OPEN_TREE_CLONE | 0x8000)
    except SyscallError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR):
            return
        raise
    try:
        km.mount_setattr(tree, set_attributes=km.MOUNT_ATTR_RDONLY, recursive=True)
        km.move_mount(tree, step.path)
    finally:
        os.close(tree)
