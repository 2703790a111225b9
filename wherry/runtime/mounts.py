"""Operations on mounts: trees made by the host, attached by init inside the root.

Every target is resolved with openat2(RESOLVE_IN_ROOT) and mounted by descriptor, so that a
symbolic link in the image, or one exchanged meanwhile, cannot lead outside.
"""

import errno
import os
import stat

from wherry.linux import mount as km
from wherry.linux.capability import acting_as
from wherry.linux.fd import RESOLVE_IN_ROOT, RESOLVE_NO_MAGICLINKS, openat2
from wherry.linux.overlay import overlay, split_lowerdir
from wherry.linux.process import forbid_imports
from wherry.linux.syscall import AT_FDCWD, SyscallError
from wherry.model.mount import IdMapping, Mount
from wherry.runtime import operations as op
from wherry.runtime.context import Context
from wherry.runtime.errors import StartFailed

_PROC_SUPER_MAGIC_TYPES = ("proc", "sysfs")


def prepare_tree(step: op.PrepareTree, context: Context) -> None:
    """Makes a detached mount in the host's namespace."""
    mount = step.mount
    try:
        make = _overlay if mount.type == "overlay" else _bind
        tree = make(mount, context)
    except SyscallError as error:
        raise StartFailed(
            f'error mounting "{mount.source}" to rootfs at "{mount.target or "/"}": {error}'
        ) from error
    context.trees[step.slot] = tree
    context.tree_is_file[step.slot] = not stat.S_ISDIR(os.fstat(tree).st_mode)


def _overlay(mount: Mount, context: Context) -> int:
    """An overlay; with id mappings each layer is an idmapped tree, as overlay itself cannot be."""
    whole = _whole_overlay(mount, context)
    if not mount.subpath:
        return whole
    try:
        part = _open_below(whole, mount)
        try:
            return km.clone_tree(part, recursive=False)
        except SyscallError as error:
            if error.errno == errno.EINVAL:
                raise StartFailed(
                    f"{mount.subpath} of an image cannot be mounted by itself before Linux 6.15: "
                    "mount the image without image-subpath"
                ) from error
            raise
        finally:
            os.close(part)
    finally:
        os.close(whole)


def _whole_overlay(mount: Mount, context: Context) -> int:
    words = km.parse_mount_options([item for item in mount.options if "=" not in item])
    attributes = km.mount_attributes(words.flags)
    layers = [*(item for item in mount.options if "=" in item), *words.data]
    if not mount.uid_mappings:
        return overlay(layers, attributes)
    namespace = context.user_namespace(mount.uid_mappings, mount.gid_mappings)
    opened: list[int] = []
    try:
        lower: list[str] = []
        options: list[str] = []
        for option in layers:
            key, _, value = option.partition("=")
            if key == "lowerdir":
                for layer in split_lowerdir(value):
                    opened.append(_idmapped(layer, namespace))
                    lower.append(f"/proc/self/fd/{opened[-1]}")
            elif key == "upperdir":
                # Upper and work directory must lie on one mount: map their common parent.
                opened.append(_idmapped(os.path.dirname(value), namespace))
                base = f"/proc/self/fd/{opened[-1]}"
                options.append(f"upperdir={base}/{os.path.basename(value)}")
            elif key == "workdir":
                options.append(f"workdir={base}/{os.path.basename(value)}")
            else:
                options.append(option)
        # Overlay makes files of its own as whoever mounts it, whom the map must know.
        with acting_as(_first(mount.uid_mappings), _first(mount.gid_mappings)):
            return overlay(options, attributes, lower=lower)
    finally:
        for descriptor in opened:
            os.close(descriptor)


def _first(mappings: tuple[IdMapping, ...]) -> int:
    """The host's id for the lowest inside."""
    return min(mappings, key=lambda item: item.container_id).host_id


def _idmapped(path: str, namespace: int) -> int:
    tree = km.clone_tree(path, recursive=False)
    try:
        km.mount_setattr(tree, user_namespace=namespace)
    except SyscallError as error:
        os.close(tree)
        raise _explained(error, path) from error
    return tree


def _explained(error: SyscallError, path: str) -> SyscallError | StartFailed:
    if error.errno != errno.EINVAL:
        return error
    return StartFailed(
        f"{path} cannot be mounted with mapped ids: its file system does not offer it (see "
        "mount_setattr(2)), so it is not for containers in a user namespace"
    )


def _open_below(directory: int, mount: Mount) -> int:
    """The mount's part of an open directory, whatever links lie on the way to it."""
    try:
        return openat2(
            directory, mount.subpath, os.O_PATH, resolve=RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS
        )
    except SyscallError as error:
        raise StartFailed(
            f"cannot access path {mount.subpath} of {mount.source}: {error.strerror}"
        ) from error


def _clone_source(mount: Mount, recursive: bool) -> int:
    if not mount.subpath:
        return km.clone_tree(mount.source, recursive=recursive)
    whole = os.open(mount.source, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        part = _open_below(whole, mount)
    finally:
        os.close(whole)
    try:
        return km.clone_tree(part, recursive=recursive)
    finally:
        os.close(part)


def _bind(mount: Mount, context: Context) -> int:
    options = km.parse_mount_options(mount.options)
    recursive = bool(options.flags & km.MS_REC) or mount.type == "rbind"
    try:
        tree = _clone_source(mount, recursive)
    except SyscallError as error:
        if error.errno == errno.ENOENT:
            raise StartFailed(
                f'error mounting "{mount.source}" to rootfs at "{mount.target}": '
                f"bind source path does not exist: {mount.source}"
            ) from error
        raise
    try:
        propagation = options.propagation or (km.MS_PRIVATE | km.MS_REC)
        km.mount_setattr(
            tree, propagation=propagation & ~km.MS_REC, recursive=bool(propagation & km.MS_REC)
        )
        attributes = km.mount_attributes(options.flags)
        if attributes:
            clear = km.MOUNT_ATTR_ATIME if attributes & km.MOUNT_ATTR_ATIME else 0
            km.mount_setattr(tree, set_attributes=attributes, clear_attributes=clear)
        if options.attributes_set or options.attributes_clear:
            km.mount_setattr(
                tree, set_attributes=options.attributes_set,
                clear_attributes=options.attributes_clear, recursive=True,
            )  # fmt: skip
        if mount.uid_mappings:
            namespace = context.user_namespace(mount.uid_mappings, mount.gid_mappings)
            try:
                km.mount_setattr(tree, user_namespace=namespace, recursive=recursive)
            except SyscallError as error:
                raise _explained(error, mount.source) from error
    except (SyscallError, StartFailed):
        os.close(tree)
        raise
    return tree


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
    target = open_target(context, step.target, file=context.tree_is_file[step.slot])
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
    target = open_target(context, step.target, file=False, follow=not plain)
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


def open_target(context: Context, path: str, *, file: bool, follow: bool = True) -> int:
    """A descriptor (O_PATH) of a mount target, made with its parents if missing.

    Raises StartFailed if what is there is of the wrong kind, or a symbolic link where none may be
    (/proc, /sys).
    """
    flags = os.O_PATH if follow else os.O_PATH | os.O_NOFOLLOW
    try:
        descriptor = openat2(context.root, path, flags)
    except SyscallError as error:
        if error.errno != errno.ENOENT:
            raise
        make_path(context.root, path, file=file)
        descriptor = openat2(context.root, path, flags)
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISLNK(mode):
        os.close(descriptor)
        raise StartFailed(f"{path} is a symbolic link in the image: it must be a directory")
    if file == stat.S_ISDIR(mode):
        os.close(descriptor)
        what = "a directory onto a file" if not file else "a file onto a directory"
        raise StartFailed(
            f'error mounting to rootfs at "{path}": not a directory: are you trying to mount '
            f"{what} (or vice-versa)? check if the specified host path exists and is the "
            "expected type"
        )
    return descriptor


def make_path(root: int, path: str, *, file: bool) -> None:
    """Makes a directory or an empty file below the root, with its parents."""
    parts = [part for part in path.split("/") if part]
    walked = ""
    for index, part in enumerate(parts):
        last = index == len(parts) - 1
        parent = openat2(root, walked or "/", os.O_RDONLY | os.O_DIRECTORY)
        try:
            if last and file:
                descriptor = os.open(
                    part, os.O_CREAT | os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW, 0o755,
                    dir_fd=parent,
                )  # fmt: skip
                os.close(descriptor)
            else:
                os.mkdir(part, 0o755, dir_fd=parent)
        except FileExistsError:
            pass  # somebody's directory on the way; a wrong kind shows at the next step
        finally:
            os.close(parent)
        walked = f"{walked}/{part}"


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
