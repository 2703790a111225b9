"""What has to be mounted where: the value that snapshots return and the runtime consumes."""

import msgspec


class IdMapping(msgspec.Struct, frozen=True):
    """A range of ids: `size` ids from `container_id` inside are those from `host_id` outside."""

    container_id: int
    host_id: int
    size: int


class Mount(msgspec.Struct, frozen=True, omit_defaults=True):
    """One mount, in the words of mount(8) and of the OCI runtime specification.

    `type` is a file system ("overlay", "bind", "tmpfs", "proc", ...); `target` is a path below
    the container's root, empty for the root itself. For "overlay" the options hold `lowerdir=`
    (top layer first, colon separated), `upperdir=` and `workdir=`. `uid_mappings` ask for an
    idmapped mount (mount_setattr(2), Linux 5.12); for an overlay they apply to its layers.
    `subpath` is the part of the source that is mounted, and cannot lead out of it.
    """

    type: str
    source: str
    target: str = ""
    options: tuple[str, ...] = ()
    uid_mappings: tuple[IdMapping, ...] = ()
    gid_mappings: tuple[IdMapping, ...] = ()
    subpath: str = ""
