"""The operations of a start, as values: what is done, by whom, in which order.

`host` operations are done by the monitor in the host's namespaces, before init exists or (those
that say so) when its namespaces do; `init` operations by the container's first process. Trees are
detached mounts that the monitor makes and init inherits, known by a slot number.
"""

from typing import ClassVar

import msgspec

from wherry.linux.cgroup.resources import Resources
from wherry.model.interface import Interface
from wherry.model.mount import IdMapping, Mount
from wherry.model.runtime_spec import Hook, State


class Operation(msgspec.Struct, frozen=True, tag=True, tag_field="op", omit_defaults=True):
    """One step; `actor` says who does it."""

    actor: ClassVar[str] = "init"

    def describe(self) -> str:
        """The step in one line, for people and tests."""
        fields = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__struct_fields__)
        return f"{self.actor}: {type(self).__name__}({fields})"


class CreateCgroup(Operation, frozen=True):
    """Makes the control group and writes its limits.

    For a scope of systemd: `ends_before` are units that must outlive it when the machine goes down,
    `stop_seconds` the time between SIGTERM and SIGKILL then.
    """

    actor: ClassVar[str] = "host"
    path: str
    resources: Resources
    ends_before: tuple[str, ...] = ()
    stop_seconds: int = 10


class PrepareTree(Operation, frozen=True):
    """Makes a detached mount: of an overlay, or a bind of a path, possibly idmapped."""

    actor: ClassVar[str] = "host"
    slot: int
    mount: Mount


class MakeLink(Operation, frozen=True):
    """Makes an interface with its end in init's network namespace; when that exists."""

    actor: ClassVar[str] = "host"
    interface: Interface


class SetPropagation(Operation, frozen=True):
    """Sets how the copy of the host's mounts shares events (MS_SLAVE, ... | MS_REC)."""

    flags: int


class AttachRoot(Operation, frozen=True):
    """Attaches the root's tree on a directory of the host, out of the host's sight."""

    slot: int
    directory: str


class AttachTree(Operation, frozen=True):
    """Attaches a tree on a path in the root, made if missing as directory or file."""

    slot: int
    target: str


class SecretFile(msgspec.Struct, frozen=True):
    """A secret and the file that it becomes; ids are the container's own."""

    target: str
    content: bytes
    uid: int = 0
    gid: int = 0
    mode: int = 0o444

    def __repr__(self) -> str:
        """Everything but the content."""
        return f"SecretFile({self.target!r}, {self.uid}:{self.gid}, {self.mode:o})"


class PlaceSecrets(Operation, frozen=True):
    """Mounts secrets on paths in the root, from memory only."""

    files: tuple[SecretFile, ...]


class MountFilesystem(Operation, frozen=True):
    """Mounts a new file system on a path in the root, made if missing."""

    type: str
    source: str
    target: str
    options: tuple[str, ...] = ()


class MakeDevice(Operation, frozen=True):
    """Makes a device node; `type` is c, b or p."""

    path: str
    type: str
    major: int
    minor: int
    mode: int
    uid: int = 0
    gid: int = 0


class MakeSymlink(Operation, frozen=True):
    """Makes a symbolic link in the root where nothing is."""

    path: str
    target: str


class OpenConsole(Operation, frozen=True):
    """Opens a terminal of the container's own devpts and mounts it on /dev/console."""


class RemountReadonly(Operation, frozen=True):
    """Makes the mount on a path read-only; before or after the pivot."""

    path: str


class RunHostHooks(Operation, frozen=True):
    """Runs hooks in the host's namespaces when init has made its mounts (prestart and the like)."""

    actor: ClassVar[str] = "host"
    kind: str
    hooks: tuple[Hook, ...]
    state: State


class AwaitHostHooks(Operation, frozen=True):
    """Asks the host for its hooks and waits until they have run."""


class RunHooks(Operation, frozen=True):
    """Runs hooks in the container's namespaces (createContainer, startContainer)."""

    kind: str
    hooks: tuple[Hook, ...]
    state: State


class PivotRoot(Operation, frozen=True):
    """Makes the root the only thing there is (pivot_root(2)).

    With `move` by moving its mount over the old root and chroot(2), for a root on the kernel's
    initial file system, which cannot be pivoted.
    """

    move: bool = False


class MaskPath(Operation, frozen=True):
    """Hides a path: a file under /dev/null, a directory under an empty tmpfs."""

    path: str


class ReadonlyPath(Operation, frozen=True):
    """Makes a path read-only by a bind on itself."""

    path: str


class WriteSysctl(Operation, frozen=True):
    """Writes a kernel parameter of the container's namespaces."""

    key: str
    value: str


class SetHostname(Operation, frozen=True):
    """Names the host inside (UTS namespace)."""

    name: str


class SetDomainname(Operation, frozen=True):
    """Names the NIS domain inside (UTS namespace)."""

    name: str


class RaiseLoopback(Operation, frozen=True):
    """Turns `lo` on in a new network namespace."""


class AwaitLinks(Operation, frozen=True):
    """Waits until the host has made the interfaces."""


class ConfigureLink(Operation, frozen=True):
    """Names an interface, gives it addresses and routes, and turns it on."""

    interface: Interface


class OpenResolver(Operation, frozen=True):
    """Opens the embedded DNS server's sockets, which the monitor gets."""


AnyOperation = (
    CreateCgroup | PrepareTree | MakeLink | SetPropagation | AttachRoot | AttachTree
    | MountFilesystem | PlaceSecrets | MakeDevice | MakeSymlink | OpenConsole | RemountReadonly
    | PivotRoot | MaskPath | ReadonlyPath | WriteSysctl | SetHostname | SetDomainname
    | RaiseLoopback | AwaitLinks | ConfigureLink | OpenResolver | RunHostHooks
    | AwaitHostHooks | RunHooks
)  # fmt: skip


class ProcessPlan(msgspec.Struct, frozen=True, omit_defaults=True):
    """The program, and what it runs as.

    `user` in Docker's form (name or id, with `:group`) is looked up in the container's files;
    empty, `uid`, `gid` and `groups` stand. `seccomp` is a compiled program, empty for none.
    `preserve_fds` counts the descriptors from 3 on that the program inherits.
    """

    args: tuple[str, ...]
    env: tuple[str, ...] = ()
    cwd: str = "/"
    terminal: bool = False
    console_size: tuple[int, int] = (0, 0)
    user: str = ""
    group_add: tuple[str, ...] = ()
    uid: int = 0
    gid: int = 0
    groups: tuple[int, ...] = ()
    umask: int | None = None
    capabilities: dict[str, tuple[str, ...]] = {}
    rlimits: tuple[tuple[str, int, int], ...] = ()
    no_new_privileges: bool = False
    seccomp: bytes = b""
    apparmor_profile: str = ""
    selinux_label: str = ""
    oom_score_adj: int | None = None
    preserve_fds: int = 0
    new_keyring: bool = True


class JoinNamespace(msgspec.Struct, frozen=True):
    """A namespace to join: its OCI kind and the path of its file."""

    kind: str
    path: str


class Plan(msgspec.Struct, frozen=True, omit_defaults=True):
    """A whole start: namespaces, operations in order, and the process.

    `start_hooks` run when everything is ready and the start was asked for, as the container's user.
    """

    id: str
    process: ProcessPlan
    operations: tuple[AnyOperation, ...] = ()
    new_namespaces: tuple[str, ...] = ()
    join_namespaces: tuple[JoinNamespace, ...] = ()
    cgroup_path: str = ""
    uid_mappings: tuple[IdMapping, ...] = ()
    gid_mappings: tuple[IdMapping, ...] = ()
    start_hooks: RunHooks | None = None

    def describe(self) -> list[str]:
        """The operations, a line each."""
        return [operation.describe() for operation in self.operations]
