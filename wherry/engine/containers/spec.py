"""From a container's record to an OCI runtime specification. Pure but for device numbers."""

import json
import os
import re
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from wherry.base.errors import InvalidParameter, NotFound
from wherry.engine.containers.container import IdRange, MountPoint, Record
from wherry.engine.containers.defaults import ContainerDefaults
from wherry.engine.containers.validate import TRUE, capability_name
from wherry.engine.system.host import apparmor_is_on
from wherry.linux import capability, seccomp
from wherry.model import runtime_spec as oci
from wherry.model.docker.container import HostConfig, ThrottleDevice
from wherry.model.mount import Mount

_DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

MASKED_PATHS = (
    "/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys",
    "/proc/latency_stats", "/proc/sched_debug", "/proc/scsi", "/proc/timer_list",
    "/proc/timer_stats", "/sys/devices/virtual/powercap", "/sys/firmware",
)  # fmt: skip
READONLY_PATHS = ("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger")

_PLAIN = ("nosuid", "noexec", "nodev")


def build_spec(
    record: Record, defaults: ContainerDefaults, files: dict[str, str],
    namespaces: dict[str, str], sources: dict[str, str], shm: str = "",
    ids: IdRange | None = None, images: Mapping[str, Mount] | None = None,
) -> oci.RuntimeSpec:  # fmt: skip
    """The specification of a start.

    `files` are the engine's own by their path inside (/etc/hosts and the like); `namespaces` maps
    OCI kinds to paths to join; `sources` volumes' names to directories; `shm` is the directory at
    /dev/shm, a tmpfs of its own if empty; `ids` those of its user namespace;
    `images` maps image mounts' snapshots to what is mounted. Raises
    InvalidParameter and NotFound for what the host lacks.
    """
    config, host = record.config, record.host
    granted = capabilities(host)
    return oci.RuntimeSpec(
        hostname="" if host.uts_mode == "host" else config.hostname,
        domainname=config.domainname,
        process=_process(record, defaults, granted),
        root=oci.Root(readonly=host.readonly_rootfs),
        mounts=tuple(_mounts(record, files, sources, shm, ids, images or {})),
        annotations=host.annotations or {},
        linux=_linux(record, defaults, granted, namespaces, ids),
    )


def capabilities(host: HostConfig) -> tuple[str, ...]:
    """The capabilities of a container, by the kernel's names."""
    if host.privileged:
        return _known(capability.NAMES)
    add = {capability_name(name) for name in host.cap_add or ()}
    drop = {capability_name(name) for name in host.cap_drop or ()}
    everything = "CAP_ALL" in add
    names: Sequence[str] = capability.NAMES if everything else capability.DEFAULT
    if "CAP_ALL" in drop and not everything:
        names = ()
    kept = [name for name in names if name not in drop]
    kept += [name for name in add if name != "CAP_ALL" and name not in kept]
    return _known(sorted(kept, key=lambda name: capability.NUMBERS[name]))


def _known(names: Sequence[str]) -> tuple[str, ...]:
    last = capability.last_capability()
    return tuple(name for name in names if capability.NUMBERS[name] <= last)


def _process(record: Record, defaults: ContainerDefaults, granted: tuple[str, ...]) -> oci.Process:
    config, host = record.config, record.host
    size = host.console_size if len(host.console_size) == 2 else [0, 0]
    return oci.Process(
        args=(record.path, *record.args),
        env=_environment(record),
        cwd=config.working_dir or "/",
        terminal=config.tty,
        console_size=oci.ConsoleSize(size[0], size[1]) if any(size) else None,
        capabilities=oci.Capabilities(bounding=granted, effective=granted, permitted=granted),
        rlimits=_rlimits(host, defaults),
        no_new_privileges=_no_new_privileges(host, defaults),
        apparmor_profile=_apparmor_profile(host, defaults),
        oom_score_adj=host.oom_score_adj,
    )


def _environment(record: Record) -> tuple[str, ...]:
    config = record.config
    given = list(config.env or ())
    names = {item.partition("=")[0] for item in given}
    base = [f"PATH={_DEFAULT_PATH}", f"HOSTNAME={config.hostname}"]
    if config.tty:
        base.append("TERM=xterm")
    return (*(item for item in base if item.partition("=")[0] not in names), *given)


def _rlimits(host: HostConfig, defaults: ContainerDefaults) -> tuple[oci.Rlimit, ...]:
    limits = {name: (soft, hard) for name, soft, hard in defaults.ulimits}
    limits.update({item.name: (item.soft, item.hard) for item in host.ulimits or ()})
    return tuple(
        oci.Rlimit(f"RLIMIT_{name.upper()}", hard, soft) for name, (soft, hard) in limits.items()
    )


def _no_new_privileges(host: HostConfig, defaults: ContainerDefaults) -> bool:
    for option in host.security_opt or ():
        key, separator, value = _split_option(option)
        if key == "no-new-privileges":
            return not separator or value in TRUE
    return defaults.no_new_privileges


def _split_option(option: str) -> tuple[str, str, str]:
    found = re.match(r"([^=:]+)([=:])(.*)", option, re.DOTALL)
    return (found[1], found[2], found[3]) if found else (option, "", "")


def _apparmor_profile(host: HostConfig, defaults: ContainerDefaults) -> str:
    """None where the kernel has no AppArmor: Docker lets the option pass there."""
    if host.privileged or not apparmor_is_on():
        return ""
    return _option(host, "apparmor", defaults.apparmor)


def _option(host: HostConfig, wanted: str, default: str) -> str:
    for option in host.security_opt or ():
        key, _, value = _split_option(option)
        if key == wanted:
            return "" if value == "unconfined" else value
    return default


def seccomp_profile(host: HostConfig, defaults: ContainerDefaults) -> dict[str, Any] | None:
    """The profile in force; None for unconfined. Raises InvalidParameter for bad JSON."""
    if host.privileged:
        return None
    chosen = next((value for key, _, value in map(_split_option, host.security_opt or ())
                   if key == "seccomp"), defaults.seccomp_profile)  # fmt: skip
    if chosen == "unconfined":
        return None
    if chosen in ("", "builtin"):
        return seccomp.default_profile()
    try:
        text = Path(chosen).read_text() if chosen.startswith("/") else chosen
        profile: dict[str, Any] = json.loads(text)
    except (OSError, ValueError) as error:
        raise InvalidParameter(f"Decoding seccomp profile failed: {error}") from None
    return profile


def _mounts(
    record: Record,
    files: dict[str, str],
    sources: dict[str, str],
    shm: str,
    ids: IdRange | None,
    images: Mapping[str, Mount],
) -> list[oci.SpecMount]:
    host = record.host
    readonly = () if host.privileged else ("ro",)
    points = {point.target for point in record.mounts}
    found = [
        oci.SpecMount("/proc", "proc", "proc", _PLAIN),
        oci.SpecMount("/dev", "tmpfs", "tmpfs",
                      ("nosuid", "strictatime", "mode=755", "size=65536k")),
        oci.SpecMount("/dev/pts", "devpts", "devpts",
                      ("nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5")),
        oci.SpecMount("/sys", "sysfs", "sysfs", (*_PLAIN, *readonly)),
        oci.SpecMount("/sys/fs/cgroup", "cgroup", "cgroup", (*_PLAIN, *readonly)),
        oci.SpecMount("/dev/mqueue", "mqueue", "mqueue", _PLAIN),
    ]  # fmt: skip
    if host.ipc_mode == "host":
        found.append(oci.SpecMount("/dev/shm", "bind", "/dev/shm", ("rbind", "rprivate")))
    elif shm and "/dev/shm" not in points:
        found.append(oci.SpecMount("/dev/shm", "bind", shm, ("rbind", "rprivate", *_PLAIN)))
    elif host.ipc_mode != "none" and "/dev/shm" not in points:
        found.append(oci.SpecMount("/dev/shm", "tmpfs", "shm",
                                   (*_PLAIN, "mode=1777", f"size={host.shm_size}")))  # fmt: skip
    for target, source in files.items():
        if target not in points:
            options = ("rbind", "rprivate", *(("ro",) if host.readonly_rootfs else ()))
            found.append(_mapped(oci.SpecMount(target, "bind", source, options), ids))
    # A secret is an operation of its own: its content must be in no specification.
    found += [point_mount(point, sources, images, ids) for point in record.mounts
              if point.type != "secret"]  # fmt: skip
    if ids:
        # Nodes cannot be made in a user namespace: the host's are bound in their place.
        found += [oci.SpecMount(inside, "bind", path, ("bind",))
                  for path, inside in _device_paths(host)]  # fmt: skip
    return found


def _mapped(mount: oci.SpecMount, ids: IdRange | None) -> oci.SpecMount:
    """A bind of files with their ids mapped, so that root's on disk are root's inside."""
    if ids is None or mount.type not in ("bind", "overlay"):
        return mount
    users, groups = _mappings(ids)
    return msgspec.structs.replace(mount, uid_mappings=users, gid_mappings=groups)


def _mappings(
    ids: IdRange,
) -> tuple[tuple[oci.SpecIdMapping, ...], tuple[oci.SpecIdMapping, ...]]:
    return (oci.SpecIdMapping(0, ids.uid, ids.size),), (oci.SpecIdMapping(0, ids.gid, ids.size),)


def point_mount(
    point: MountPoint, sources: Mapping[str, str], images: Mapping[str, Mount], ids: IdRange | None
) -> oci.SpecMount:
    """A container's mount as the specification has it; parameters as those of `build_spec`."""
    if point.type == "image":
        return _mapped(_image_point(point, images[point.snapshot]), ids)
    return _mapped(_point(point, sources), ids)


def _point(point: MountPoint, sources: Mapping[str, str]) -> oci.SpecMount:
    if point.type == "tmpfs":
        options = (*point.options, *(() if point.read_write else ("ro",)))
        return oci.SpecMount(point.target, "tmpfs", "tmpfs", options)
    source = sources.get(point.volume, point.source) if point.volume else point.source
    words = [word for word in point.options if word != "nonrecursive"]
    recursive = "bind" if "nonrecursive" in point.options else "rbind"
    access = [] if point.read_write else ["ro"]
    options = (recursive, point.propagation or "rprivate", *access, *words)
    return oci.SpecMount(point.target, "bind", source, options, subpath=point.subpath)


def _image_point(point: MountPoint, layers: Mount) -> oci.SpecMount:
    """An image as a mount: never writable, like dockerd's."""
    kind = (layers.type,) if layers.type == "bind" else ()
    options = (*layers.options, *kind, "ro")
    return oci.SpecMount(point.target, layers.type, layers.source, options, subpath=point.subpath)


def _linux(
    record: Record, defaults: ContainerDefaults, granted: tuple[str, ...],
    namespaces: dict[str, str], ids: IdRange | None,
) -> oci.Linux:  # fmt: skip
    host = record.host
    kinds: list[oci.Namespace] = [oci.Namespace("mount")]
    users, groups = _mappings(ids) if ids else ((), ())
    if ids:
        kinds.append(oci.Namespace("user", namespaces.get("user", "")))
    for kind, mode in (("network", host.network_mode), ("ipc", host.ipc_mode),
                       ("uts", host.uts_mode), ("pid", host.pid_mode),
                       ("cgroup", host.cgroupns_mode)):  # fmt: skip
        if kind in namespaces:
            kinds.append(oci.Namespace(kind, namespaces[kind]))
        elif mode != "host":
            kinds.append(oci.Namespace(kind))
    open_paths = host.privileged or "systempaths=unconfined" in (host.security_opt or ())
    profile = seccomp_profile(host, defaults)
    masked = MASKED_PATHS if host.masked_paths is None else tuple(host.masked_paths)
    readonly = READONLY_PATHS if host.readonly_paths is None else tuple(host.readonly_paths)
    return oci.Linux(
        namespaces=tuple(kinds),
        uid_mappings=users,
        gid_mappings=groups,
        devices=() if ids else tuple(_devices(host)),
        resources=resources(host),
        sysctl=host.sysctls or {},
        seccomp=profile,
        masked_paths=() if open_paths else masked,
        readonly_paths=() if open_paths else readonly,
        rootfs_propagation=_root_propagation(record.mounts),
    )


def _root_propagation(points: Sequence[MountPoint]) -> str:
    words = {point.propagation for point in points}
    if words & {"shared", "rshared"}:
        return "rslave"
    return "rslave" if words & {"slave", "rslave"} else "rprivate"


def resources(host: Any) -> oci.LinuxResources:
    """Limits of a host configuration, or of an update."""
    rules = [_device_rule(text) for text in host.device_cgroup_rules or ()]
    if getattr(host, "privileged", False):
        rules = [oci.DeviceRule(allow=True, type="a", access="rwm")]
    for item in _devices(host):
        rules.append(oci.DeviceRule(True, item.type, item.major, item.minor,
                                    _permissions(host, item.path)))  # fmt: skip
    quota, period = host.cpu_quota, host.cpu_period
    if host.nano_cpus:
        period = 100_000
        quota = host.nano_cpus * period // 10**9
    pids = host.pids_limit
    return oci.LinuxResources(
        devices=tuple(rules),
        memory=oci.Memory(
            limit=host.memory or None,
            reservation=host.memory_reservation or None,
            swap=host.memory_swap or None,
            swappiness=None if host.memory_swappiness in (None, -1) else host.memory_swappiness,
            kernel_tcp=host.kernel_memory_tcp or None,
            disable_oom_killer=bool(host.oom_kill_disable),
        ),
        cpu=oci.Cpu(
            shares=host.cpu_shares or None, quota=quota or None, period=period or None,
            realtime_runtime=host.cpu_realtime_runtime or None,
            realtime_period=host.cpu_realtime_period or None,
            cpus=host.cpuset_cpus, mems=host.cpuset_mems,
        ),
        pids=oci.Pids(pids) if pids else None,
        block_io=oci.BlockIO(
            weight=host.blkio_weight or None,
            weight_device=tuple(
                oci.ThrottleDevice(*_device_number(item.path), weight=item.weight)
                for item in host.blkio_weight_device or ()
            ),
            throttle_read_bps_device=_throttles(host.blkio_device_read_bps),
            throttle_write_bps_device=_throttles(host.blkio_device_write_bps),
            throttle_read_iops_device=_throttles(host.blkio_device_read_iops),
            throttle_write_iops_device=_throttles(host.blkio_device_write_iops),
        ),
    )  # fmt: skip


def _throttles(items: list[ThrottleDevice] | None) -> tuple[oci.ThrottleDevice, ...]:
    return tuple(oci.ThrottleDevice(*_device_number(item.path), item.rate) for item in items or ())


def _device_number(path: str) -> tuple[int, int]:
    try:
        found = os.stat(path)
    except OSError:
        raise NotFound(f"no such device: {path}") from None
    return os.major(found.st_rdev), os.minor(found.st_rdev)


def _device_rule(text: str) -> oci.DeviceRule:
    found = re.fullmatch(r"([acb]) ([0-9]+|\*):([0-9]+|\*) ([rwm]{1,3})", text)
    if not found:
        raise InvalidParameter(f"invalid device cgroup rule format: '{text}'")
    major, minor = (None if item == "*" else int(item) for item in found.group(2, 3))
    return oci.DeviceRule(True, found[1], major, minor, found[4])


def _permissions(host: HostConfig, path: str) -> str:
    for item in host.devices or ():
        if path.startswith(item.path_in_container or item.path_on_host):
            return item.cgroup_permissions or "rwm"
    return "rwm"


def _devices(host: Any) -> list[oci.Device]:
    if getattr(host, "privileged", False):
        return [item for path in _all_devices() if (item := _device(path, path))]
    found: list[oci.Device] = []
    wanted = {mapping.path_on_host for mapping in host.devices or ()}
    for path, inside in _device_paths(host):
        item = _device(path, inside)
        if item:
            found.append(item)
        elif path in wanted:
            raise InvalidParameter(
                f"error gathering device information while adding custom device "
                f'"{path}": not a device node'
            )
    return found


def _device_paths(host: Any) -> list[tuple[str, str]]:
    """Devices asked for, by their paths on the host and inside; a directory stands for its own."""
    found: list[tuple[str, str]] = []
    for mapping in host.devices or ():
        path, inside = mapping.path_on_host, mapping.path_in_container or mapping.path_on_host
        if os.path.isdir(path):
            below = [
                (f"{at}/{name}", f"{inside}{at[len(path):]}/{name}")
                for at, _, names in sorted(os.walk(path))
                for name in sorted(names) if _is_device(f"{at}/{name}")
            ]  # fmt: skip
            found += below or [(path, inside)]
        else:
            found.append((path, inside))
    return found


def _is_device(path: str) -> bool:
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return False
    return stat.S_ISCHR(mode) or stat.S_ISBLK(mode)


def _device(path: str, inside: str) -> oci.Device | None:
    try:
        found = os.stat(path)
    except OSError:
        raise InvalidParameter(
            f'error gathering device information while adding custom device "{path}": '
            "no such file or directory"
        ) from None
    if not (stat.S_ISCHR(found.st_mode) or stat.S_ISBLK(found.st_mode)):
        return None
    return oci.Device(
        "c" if stat.S_ISCHR(found.st_mode) else "b", inside, os.major(found.st_rdev),
        os.minor(found.st_rdev), stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid,
    )  # fmt: skip


def _all_devices() -> list[str]:
    skipped = {"/dev/pts", "/dev/shm", "/dev/mqueue", "/dev/fd", "/dev/console", "/dev/lxc"}
    found: list[str] = []
    for folder, names, files in os.walk("/dev"):
        names[:] = [name for name in names if f"{folder}/{name}" not in skipped]
        paths = [f"{folder}/{name}" for name in files]
        found += [path for path in paths if path not in skipped and not os.path.islink(path)]
    return found
