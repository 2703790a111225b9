"""Detached mounts: overlays and binds, of a part of their source, with their ids mapped."""

import errno
import os

from wherry.linux import mount as km
from wherry.linux.capability import acting_as
from wherry.linux.fd import RESOLVE_IN_ROOT, RESOLVE_NO_MAGICLINKS, openat2
from wherry.linux.namespace import create_user_namespace
from wherry.linux.overlay import overlay, split_lowerdir
from wherry.linux.syscall import SyscallError
from wherry.model.mount import IdMapping, Mount
from wherry.runtime.errors import StartFailed

IdRanges = tuple[IdMapping, ...]


class IdMappings:
    """User namespaces that say how ids are mapped: one for all mounts that map alike."""

    def __init__(self) -> None:
        self._namespaces: dict[tuple[IdRanges, IdRanges], int] = {}

    def user_namespace(self, users: IdRanges, groups: IdRanges) -> int:
        """A user namespace with these ids, for mount_setattr(2)."""
        key = (users, groups)
        if key not in self._namespaces:
            self._namespaces[key] = create_user_namespace(id_ranges(users), id_ranges(groups))
        return self._namespaces[key]

    def close(self) -> None:
        """Closes them; mounts keep what they need."""
        for descriptor in self._namespaces.values():
            os.close(descriptor)
        self._namespaces.clear()


def id_ranges(mappings: IdRanges) -> list[tuple[int, int, int]]:
    """Mappings as the kernel's files want them."""
    return [(item.container_id, item.host_id, item.size) for item in mappings]


def make_tree(mount: Mount, mappings: IdMappings) -> int:
    """A detached mount in the caller's namespace; raises SyscallError, StartFailed."""
    return (_overlay if mount.type == "overlay" else _bind)(mount, mappings)


def _overlay(mount: Mount, mappings: IdMappings) -> int:
    """An overlay; with id mappings each layer is an idmapped tree, as overlay itself cannot be."""
    whole = _whole_overlay(mount, mappings)
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


def _whole_overlay(mount: Mount, mappings: IdMappings) -> int:
    words = km.parse_mount_options([item for item in mount.options if "=" not in item])
    attributes = km.mount_attributes(words.flags)
    layers = [*(item for item in mount.options if "=" in item), *words.data]
    if not mount.uid_mappings:
        return overlay(layers, attributes)
    namespace = mappings.user_namespace(mount.uid_mappings, mount.gid_mappings)
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


def _bind(mount: Mount, mappings: IdMappings) -> int:
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
            namespace = mappings.user_namespace(mount.uid_mappings, mount.gid_mappings)
            try:
                km.mount_setattr(tree, user_namespace=namespace, recursive=recursive)
            except SyscallError as error:
                raise _explained(error, mount.source) from error
    except (SyscallError, StartFailed):
        os.close(tree)
        raise
    return tree
