"""From a runtime specification to a plan. Pure: no system call, so tested without root."""

import json
import posixpath
from collections.abc import Iterator

import msgspec

from wherry.linux import mount as kernel_mount
from wherry.linux.cgroup.layout import CgroupLayout
from wherry.linux.cgroup.resources import DeviceRule, Resources, Throttle
from wherry.linux.namespace import KINDS
from wherry.linux.seccomp import compile_profile
from wherry.model import runtime_spec as oci
from wherry.model.interface import Interface
from wherry.model.mount import Mount
from wherry.runtime import operations as op
from wherry.runtime.errors import StartFailed
from wherry.runtime.sysctls import check_sysctl

ROOT_SLOT = 0
MAPPED_ROOT_DIRECTORY = "/sys"
"""Where the root of a container in a user namespace is attached until the pivot.

Its root user is nobody on the host and may not walk to a private directory; this one everybody
reaches, and init needs nothing else of it.
"""

DEFAULT_DEVICES = (
    ("/dev/null", 1, 3), ("/dev/zero", 1, 5), ("/dev/full", 1, 7), ("/dev/random", 1, 8),
    ("/dev/urandom", 1, 9), ("/dev/tty", 5, 0),
)  # fmt: skip
"""Character devices that every container has (config-linux.md, default devices)."""

_DEVICE_LINKS = (
    ("/dev/fd", "/proc/self/fd"), ("/dev/stdin", "/proc/self/fd/0"),
    ("/dev/stdout", "/proc/self/fd/1"), ("/dev/stderr", "/proc/self/fd/2"),
    ("/dev/ptmx", "pts/ptmx"), ("/dev/core", "/proc/kcore"),
)  # fmt: skip

_DEVICE_RULES = (
    DeviceRule(False),
    DeviceRule(True, "c", -1, -1, "m"), DeviceRule(True, "b", -1, -1, "m"),
    *(DeviceRule(True, "c", major, minor) for _, major, minor in DEFAULT_DEVICES),
    DeviceRule(True, "c", 136, -1), DeviceRule(True, "c", 5, 2), DeviceRule(True, "c", 5, 1),
)  # fmt: skip


class PlanContext(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the specification does not say.

    `root` is the root file system's mount (an overlay, or a bind of a directory), attached for a
    moment on `root_directory`. `user` in Docker's form overrides the specification's ids.
    `init_path` is the host's static init program for `--init`. `filtered` says whether the seccomp
    profile is already compiled into `seccomp`. With `bundle` the specification's hooks run, and
    are told it. `preserve_fds`, `new_keyring` and `pivot` are wishes of the OCI command line.
    With `resolver` the embedded DNS server's sockets are opened. `ends_before` and `stop_seconds`
    are for a control group made by systemd.
    """

    id: str
    root: Mount
    root_directory: str
    layout: CgroupLayout
    cgroup_path: str
    interfaces: tuple[Interface, ...] = ()
    user: str = ""
    group_add: tuple[str, ...] = ()
    init_path: str = ""
    seccomp: bytes = b""
    bundle: str = ""
    preserve_fds: int = 0
    new_keyring: bool = True
    pivot: bool = True
    resolver: bool = False
    ends_before: tuple[str, ...] = ()
    stop_seconds: int = 10
    secrets: tuple[op.SecretFile, ...] = ()


def plan_container(spec: oci.RuntimeSpec, context: PlanContext) -> op.Plan:
    """The plan for a container; raises StartFailed for what cannot be done at all."""
    new, join = _namespaces(spec.linux)
    closed: list[op.RemountReadonly] = []
    if context.layout.version == 1 and "cgroup" not in new:
        closed = [
            op.RemountReadonly(item.destination)
            for item in spec.mounts
            if item.type == "cgroup" and "ro" in item.options
        ]
        spec = msgspec.structs.replace(spec, mounts=tuple(_own_cgroups(spec, context)))
    steps = [*_host_steps(spec, context), *_init_steps(spec, context, new, closed)]
    return op.Plan(
        id=context.id,
        process=_process(spec, context),
        operations=tuple(steps),
        new_namespaces=new,
        join_namespaces=join,
        cgroup_path=context.cgroup_path,
        uid_mappings=tuple(item.value() for item in spec.linux.uid_mappings),
        gid_mappings=tuple(item.value() for item in spec.linux.gid_mappings),
        start_hooks=_start_hooks(spec, context),
    )


def _hooks(spec: oci.RuntimeSpec, context: PlanContext) -> oci.Hooks:
    return spec.hooks if spec.hooks and context.bundle else oci.Hooks()


def hook_state(spec: oci.RuntimeSpec, identifier: str, bundle: str, status: str) -> oci.State:
    """What hooks are told; the pid is filled in where they run."""
    return oci.State(spec.oci_version, identifier, status, bundle, annotations=spec.annotations)


def _start_hooks(spec: oci.RuntimeSpec, context: PlanContext) -> op.RunHooks | None:
    found = _hooks(spec, context).start_container
    if not found:
        return None
    state = hook_state(spec, context.id, context.bundle, "created")
    return op.RunHooks("startContainer", found, state)


def _host_hook_steps(spec: oci.RuntimeSpec, context: PlanContext) -> Iterator[op.AnyOperation]:
    hooks = _hooks(spec, context)
    state = hook_state(spec, context.id, context.bundle, "creating")
    for kind, found in (("prestart", hooks.prestart), ("createRuntime", hooks.create_runtime)):
        if found:
            yield op.RunHostHooks(kind, found, state)


def _container_hook_steps(spec: oci.RuntimeSpec, context: PlanContext) -> Iterator[op.AnyOperation]:
    hooks = _hooks(spec, context)
    if hooks.prestart or hooks.create_runtime:
        yield op.AwaitHostHooks()
    if hooks.create_container:
        state = hook_state(spec, context.id, context.bundle, "creating")
        yield op.RunHooks("createContainer", hooks.create_container, state)


def _namespaces(linux: oci.Linux) -> tuple[tuple[str, ...], tuple[op.JoinNamespace, ...]]:
    new: list[str] = []
    join: list[op.JoinNamespace] = []
    for namespace in linux.namespaces:
        if namespace.type not in KINDS:
            raise StartFailed(f"namespace {namespace.type} does not exist")
        if namespace.path:
            join.append(op.JoinNamespace(namespace.type, namespace.path))
        else:
            new.append(namespace.type)
    return tuple(new), tuple(join)


def _own_cgroups(spec: oci.RuntimeSpec, context: PlanContext) -> Iterator[oci.SpecMount]:
    """Mounts with the cgroup mount of version 1 as binds of the container's own groups.

    Without a cgroup namespace a mount of the hierarchies would show everybody's groups.
    """
    layout = context.layout
    for item in spec.mounts:
        if item.type != "cgroup":
            yield item
            continue
        plain = ("nosuid", "nodev", "noexec")
        yield oci.SpecMount(item.destination, "tmpfs", "tmpfs", (*plain, "mode=755"))
        for root in layout.hierarchies():
            name = posixpath.basename(root)
            source = f"{root}/{context.cgroup_path.strip('/')}"
            options = ("bind", *(option for option in item.options if option != "bind"))
            yield oci.SpecMount(f"{item.destination}/{name}", "bind", source, options)


def _host_steps(spec: oci.RuntimeSpec, context: PlanContext) -> Iterator[op.AnyOperation]:
    if context.cgroup_path:
        yield op.CreateCgroup(
            context.cgroup_path, resources(spec.linux), context.ends_before, context.stop_seconds
        )
    yield op.PrepareTree(ROOT_SLOT, context.root)
    for slot, item in enumerate(_bound(spec, context), start=1):
        yield op.PrepareTree(slot, item)
    for interface in context.interfaces:
        yield op.MakeLink(interface)
    yield from _host_hook_steps(spec, context)


def _mapped(spec: oci.RuntimeSpec) -> bool:
    """Whether the container is in a user namespace, new or joined: it can make no device nodes."""
    return any(item.type == "user" for item in spec.linux.namespaces)


def _target(item: oci.SpecMount) -> str:
    """The destination as an absolute path; the specification allowed others once."""
    return posixpath.normpath("/" + item.destination.lstrip("/"))


def _is_bind(item: oci.SpecMount) -> bool:
    return item.type == "bind" or "bind" in item.options or "rbind" in item.options


def _is_prepared(item: oci.SpecMount) -> bool:
    """Whether the host makes it: overlays need the initial user namespace."""
    return _is_bind(item) or item.type == "overlay"


def tree_of(item: oci.SpecMount) -> Mount:
    """A bind or overlay of the specification as the host prepares it."""
    return Mount(
        "overlay" if item.type == "overlay" else "bind", item.source, item.destination,
        item.options,
        tuple(entry.value() for entry in item.uid_mappings),
        tuple(entry.value() for entry in item.gid_mappings),
        item.subpath,
    )  # fmt: skip


def _bound(spec: oci.RuntimeSpec, context: PlanContext) -> list[Mount]:
    """Everything that the host prepares as a tree, in the order of the slots from 1 on."""
    binds = [tree_of(item) for item in spec.mounts if _is_prepared(item)]
    if context.init_path:
        binds.append(Mount("bind", context.init_path, "/sbin/docker-init", ("bind", "ro")))
    if _mapped(spec):
        binds += [Mount("bind", path, path, ("bind",)) for path, _, _ in DEFAULT_DEVICES]
        binds += [Mount("bind", item.path, item.path, ("bind",)) for item in spec.linux.devices]
    return binds


def _init_steps(
    spec: oci.RuntimeSpec, context: PlanContext, new: tuple[str, ...],
    closed: list[op.RemountReadonly],
) -> Iterator[op.AnyOperation]:  # fmt: skip
    linux = spec.linux
    propagation = linux.rootfs_propagation or "rslave"
    if propagation not in kernel_mount.PROPAGATION:
        raise StartFailed(f"rootfsPropagation {propagation} does not exist")
    yield op.SetPropagation(kernel_mount.PROPAGATION[propagation])
    directory = MAPPED_ROOT_DIRECTORY if _mapped(spec) else context.root_directory
    yield op.AttachRoot(ROOT_SLOT, directory)
    yield from _mount_steps(spec, context)
    if context.secrets:
        yield op.PlaceSecrets(context.secrets)
    yield from closed
    yield from _device_steps(spec, bool(context.init_path))
    if spec.process.terminal:
        yield op.OpenConsole()
    yield from _container_hook_steps(spec, context)
    yield op.PivotRoot(move=not context.pivot)
    if "uts" in new:
        if spec.hostname:
            yield op.SetHostname(spec.hostname)
        if spec.domainname:
            yield op.SetDomainname(spec.domainname)
    if "network" in new:
        yield op.RaiseLoopback()
    if context.interfaces:
        yield op.AwaitLinks()
        for interface in context.interfaces:
            yield op.ConfigureLink(interface)
    if context.resolver:
        yield op.OpenResolver()
    for key, value in linux.sysctl.items():
        check_sysctl(key, linux)
        yield op.WriteSysctl(key, value)
    for path in linux.readonly_paths:
        yield op.ReadonlyPath(path)
    for path in linux.masked_paths:
        yield op.MaskPath(path)
    if spec.root.readonly:
        yield op.RemountReadonly("/")


def _mount_steps(spec: oci.RuntimeSpec, context: PlanContext) -> Iterator[op.AnyOperation]:
    slot = 0
    for item in spec.mounts:
        target = _target(item)
        if target in ("/proc", "/sys") and _is_bind(item) and "rbind" not in item.options:
            raise StartFailed(f'"{item.source}" cannot be mounted over {target}')
        if _is_prepared(item):
            slot += 1
            yield op.AttachTree(slot, target)
        elif item.type == "cgroup":
            yield from _cgroup_steps(item, context, target)
        else:
            yield op.MountFilesystem(item.type, item.source or item.type, target, item.options)
    if context.init_path:
        slot += 1
        yield op.AttachTree(slot, "/sbin/docker-init")


def _cgroup_steps(
    item: oci.SpecMount, context: PlanContext, target: str
) -> Iterator[op.AnyOperation]:
    if context.layout.version == 2:
        yield op.MountFilesystem("cgroup2", "cgroup", target, item.options)
        return
    plain = ("nosuid", "nodev", "noexec")
    yield op.MountFilesystem("tmpfs", "tmpfs", target, (*plain, "mode=755"))
    controllers: dict[str, list[str]] = {}
    for controller, root in context.layout.controllers.items():
        controllers.setdefault(root, []).append(controller)
    for root, names in controllers.items():
        name = posixpath.basename(root)
        options = (*item.options, ",".join(sorted(names)))
        yield op.MountFilesystem("cgroup", "cgroup", f"{target}/{name}", options)
        for controller in names:
            if controller != name:
                yield op.MakeSymlink(f"{target}/{controller}", name)
    for name in context.layout.named:
        kind = "cgroup2" if name == "unified" else "cgroup"
        extra = () if name == "unified" else (f"name={name}", "none")
        yield op.MountFilesystem(kind, "cgroup", f"{target}/{name}", (*item.options, *extra))
    if "ro" in item.options:
        yield op.RemountReadonly(target)


def _device_steps(spec: oci.RuntimeSpec, init: bool) -> Iterator[op.AnyOperation]:
    if not any(_target(item) == "/dev" for item in spec.mounts):
        return
    if _mapped(spec):
        slot = 1 + init + sum(1 for item in spec.mounts if _is_prepared(item))
        paths = [path for path, _, _ in DEFAULT_DEVICES]
        paths += [item.path for item in spec.linux.devices]
        for offset, path in enumerate(paths):
            yield op.AttachTree(slot + offset, path)
    else:
        for path, major, minor in DEFAULT_DEVICES:
            yield op.MakeDevice(path, "c", major, minor, 0o666)
        for item in spec.linux.devices:
            mode = 0o666 if item.file_mode is None else item.file_mode
            kind = "c" if item.type == "u" else item.type
            yield op.MakeDevice(item.path, kind, item.major, item.minor, mode, item.uid, item.gid)
    for path, target in _DEVICE_LINKS:
        yield op.MakeSymlink(path, target)


def _process(spec: oci.RuntimeSpec, context: PlanContext) -> op.ProcessPlan:
    process = spec.process
    if context.init_path:
        args = ("/sbin/docker-init", "--", *process.args)
        process = msgspec.structs.replace(process, args=args)
    plan = process_plan(
        process, seccomp=_seccomp(spec, context), preserve_fds=context.preserve_fds,
        new_keyring=context.new_keyring,
    )  # fmt: skip
    return msgspec.structs.replace(plan, user=context.user, group_add=context.group_add)


def process_plan(
    process: oci.Process, *, seccomp: bytes, preserve_fds: int = 0, new_keyring: bool = True
) -> op.ProcessPlan:
    """What the specification says of a process, its first or a further one."""
    sets, size = process.capabilities, process.console_size
    return op.ProcessPlan(
        args=process.args,
        env=process.env,
        cwd=process.cwd or "/",
        terminal=process.terminal,
        console_size=(size.height, size.width) if size else (0, 0),
        uid=process.user.uid,
        gid=process.user.gid,
        groups=process.user.additional_gids,
        umask=process.user.umask,
        capabilities=json.loads(msgspec.json.encode(sets)) if sets else {},
        rlimits=tuple((item.type, item.soft, item.hard) for item in process.rlimits),
        no_new_privileges=process.no_new_privileges,
        seccomp=seccomp,
        apparmor_profile=process.apparmor_profile,
        selinux_label=process.selinux_label,
        oom_score_adj=process.oom_score_adj,
        preserve_fds=preserve_fds,
        new_keyring=new_keyring,
    )


def _seccomp(spec: oci.RuntimeSpec, context: PlanContext) -> bytes:
    if context.seccomp or not spec.linux.seccomp:
        return context.seccomp
    sets = spec.process.capabilities
    try:
        return compile_profile(spec.linux.seccomp, sets.bounding if sets else ())
    except (KeyError, TypeError, ValueError) as error:
        raise StartFailed(f"the seccomp profile cannot be used: {error}") from error


def resources(linux: oci.Linux) -> Resources:
    """The control group's limits, with the device list that every container has."""
    limits = linux.resources or oci.LinuxResources()
    memory, cpu = limits.memory or oci.Memory(), limits.cpu or oci.Cpu()
    block = limits.block_io or oci.BlockIO()
    return Resources(
        memory_limit=memory.limit,
        memory_reservation=memory.reservation,
        memory_swap=memory.swap,
        memory_swappiness=memory.swappiness,
        oom_kill_disable=memory.disable_oom_killer,
        kernel_memory_tcp=memory.kernel_tcp,
        cpu_shares=cpu.shares or 0,
        cpu_period=cpu.period or 0,
        cpu_quota=cpu.quota or 0,
        cpu_rt_period=cpu.realtime_period or 0,
        cpu_rt_runtime=cpu.realtime_runtime or 0,
        cpuset_cpus=cpu.cpus,
        cpuset_mems=cpu.mems,
        pids_limit=limits.pids.limit if limits.pids else None,
        blkio_weight=block.weight or 0,
        blkio_weight_device=tuple(
            Throttle(item.major, item.minor, item.weight) for item in block.weight_device
        ),
        blkio_read_bps=_throttles(block.throttle_read_bps_device),
        blkio_write_bps=_throttles(block.throttle_write_bps_device),
        blkio_read_iops=_throttles(block.throttle_read_iops_device),
        blkio_write_iops=_throttles(block.throttle_write_iops_device),
        devices=_device_rules(limits.devices),
        unified=limits.unified,
    )


def _throttles(items: tuple[oci.ThrottleDevice, ...]) -> tuple[Throttle, ...]:
    return tuple(Throttle(item.major, item.minor, item.rate) for item in items)


def _device_rules(given: tuple[oci.DeviceRule, ...]) -> tuple[DeviceRule, ...]:
    rules = [
        DeviceRule(
            rule.allow, rule.type or "a", -1 if rule.major is None else rule.major,
            -1 if rule.minor is None else rule.minor, rule.access or "rwm",
        )
        for rule in given
    ]  # fmt: skip
    if any(rule.allow and rule.type == "a" for rule in rules):
        return tuple(rules)
    return (*_DEVICE_RULES, *(rule for rule in rules if rule.type != "a"))
