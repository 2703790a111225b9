"""The OCI runtime specification 1.2 as values: what `config.json` of a bundle says."""

from typing import Any

import msgspec

from wherry.model.mount import IdMapping


class _Spec(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """Names in camel case; what is unset is not written."""


class SpecIdMapping(_Spec, frozen=True):
    """A range of ids (config-linux.md, user namespace mappings)."""

    container_id: int = msgspec.field(name="containerID")
    host_id: int = msgspec.field(name="hostID")
    size: int

    def value(self) -> IdMapping:
        """The same range as the house's common value."""
        return IdMapping(self.container_id, self.host_id, self.size)


class User(_Spec, frozen=True):
    """Ids of the process inside the container."""

    uid: int = 0
    gid: int = 0
    umask: int | None = None
    additional_gids: tuple[int, ...] = ()


class Capabilities(_Spec, frozen=True):
    """Capability names by set."""

    bounding: tuple[str, ...] = ()
    effective: tuple[str, ...] = ()
    inheritable: tuple[str, ...] = ()
    permitted: tuple[str, ...] = ()
    ambient: tuple[str, ...] = ()


class Rlimit(_Spec, frozen=True):
    """One resource limit by its `RLIMIT_` name."""

    type: str
    hard: int
    soft: int


class ConsoleSize(_Spec, frozen=True):
    """Rows and columns of the terminal."""

    height: int = 0
    width: int = 0


class Process(_Spec, frozen=True):
    """The program to run."""

    args: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    cwd: str = "/"
    terminal: bool = False
    console_size: ConsoleSize | None = None
    user: User = User()
    capabilities: Capabilities | None = None
    rlimits: tuple[Rlimit, ...] = ()
    no_new_privileges: bool = False
    apparmor_profile: str = ""
    selinux_label: str = ""
    oom_score_adj: int | None = None


class Root(_Spec, frozen=True):
    """Where the root file system is."""

    path: str = "rootfs"
    readonly: bool = False


class SpecMount(_Spec, frozen=True):
    """One mount beyond the root; `subpath`, a part of the source, is the engine's own."""

    destination: str
    type: str = ""
    source: str = ""
    options: tuple[str, ...] = ()
    uid_mappings: tuple[SpecIdMapping, ...] = ()
    gid_mappings: tuple[SpecIdMapping, ...] = ()
    subpath: str = ""


class Namespace(_Spec, frozen=True):
    """A namespace to make, or with `path` to join."""

    type: str
    path: str = ""


class Device(_Spec, frozen=True):
    """A device node to make."""

    type: str
    path: str
    major: int = 0
    minor: int = 0
    file_mode: int | None = None
    uid: int = 0
    gid: int = 0


class DeviceRule(_Spec, frozen=True):
    """A rule of the device control group."""

    allow: bool
    type: str = "a"
    major: int | None = None
    minor: int | None = None
    access: str = "rwm"


class Memory(_Spec, frozen=True):
    """Memory limits in bytes."""

    limit: int | None = None
    reservation: int | None = None
    swap: int | None = None
    swappiness: int | None = None
    kernel_tcp: int | None = msgspec.field(name="kernelTCP", default=None)
    disable_oom_killer: bool = msgspec.field(name="disableOOMKiller", default=False)


class Cpu(_Spec, frozen=True):
    """Processor limits: shares, microseconds, sets."""

    shares: int | None = None
    quota: int | None = None
    period: int | None = None
    realtime_runtime: int | None = None
    realtime_period: int | None = None
    cpus: str = ""
    mems: str = ""


class Pids(_Spec, frozen=True):
    """How many processes."""

    limit: int = 0


class ThrottleDevice(_Spec, frozen=True):
    """A rate for one block device."""

    major: int
    minor: int
    rate: int = 0
    weight: int = 0


class BlockIO(_Spec, frozen=True):
    """Block I/O weight and throttles."""

    weight: int | None = None
    weight_device: tuple[ThrottleDevice, ...] = ()
    throttle_read_bps_device: tuple[ThrottleDevice, ...] = ()
    throttle_write_bps_device: tuple[ThrottleDevice, ...] = ()
    throttle_read_iops_device: tuple[ThrottleDevice, ...] = msgspec.field(
        name="throttleReadIOPSDevice", default=()
    )
    throttle_write_iops_device: tuple[ThrottleDevice, ...] = msgspec.field(
        name="throttleWriteIOPSDevice", default=()
    )


class LinuxResources(_Spec, frozen=True):
    """Limits of the control group."""

    devices: tuple[DeviceRule, ...] = ()
    memory: Memory | None = None
    cpu: Cpu | None = None
    pids: Pids | None = None
    block_io: BlockIO | None = msgspec.field(name="blockIO", default=None)
    unified: dict[str, str] = {}


class Linux(_Spec, frozen=True):
    """What only Linux has."""

    namespaces: tuple[Namespace, ...] = ()
    uid_mappings: tuple[SpecIdMapping, ...] = ()
    gid_mappings: tuple[SpecIdMapping, ...] = ()
    devices: tuple[Device, ...] = ()
    cgroups_path: str = ""
    resources: LinuxResources | None = None
    sysctl: dict[str, str] = {}
    seccomp: dict[str, Any] | None = None
    masked_paths: tuple[str, ...] = ()
    readonly_paths: tuple[str, ...] = ()
    rootfs_propagation: str = ""
    mount_label: str = ""


class Hook(_Spec, frozen=True):
    """A program run at a point of the container's life; `timeout` in seconds."""

    path: str
    args: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    timeout: int | None = None


class Hooks(_Spec, frozen=True):
    """Hooks by the point at which they run."""

    prestart: tuple[Hook, ...] = ()
    create_runtime: tuple[Hook, ...] = ()
    create_container: tuple[Hook, ...] = ()
    start_container: tuple[Hook, ...] = ()
    poststart: tuple[Hook, ...] = ()
    poststop: tuple[Hook, ...] = ()


class State(_Spec, frozen=True):
    """What a runtime tells hooks and callers of a container (runtime.md, state)."""

    oci_version: str
    id: str
    status: str
    bundle: str
    pid: int = 0
    annotations: dict[str, str] = {}


class RuntimeSpec(_Spec, frozen=True):
    """A whole `config.json`."""

    oci_version: str = "1.2.0"
    process: Process = Process()
    root: Root = Root()
    hostname: str = ""
    domainname: str = ""
    mounts: tuple[SpecMount, ...] = ()
    hooks: Hooks | None = None
    annotations: dict[str, str] = {}
    linux: Linux = Linux()
