"""Writing limits to version 1 hierarchies (Documentation/admin-guide/cgroup-v1)."""

import errno
import os
from collections.abc import Callable, Sequence

from wherry.linux.cgroup.layout import read_value, write_value
from wherry.linux.cgroup.resources import DeviceRule, Resources, Throttle


def prepare_cpuset(root: str, directory: str) -> None:
    """Fills the sets from the parent, down to `directory`: empty sets hold nobody."""
    parts = directory[len(root) :].strip("/").split("/")
    parent = root
    for part in parts:
        child = f"{parent}/{part}"
        for name in ("cpuset.cpus", "cpuset.mems"):
            if not read_value(child, name):
                write_value(child, name, read_value(parent, name))
        parent = child


def apply(directories: dict[str, str], resources: Resources) -> None:
    """Writes every limit that is set; raises OSError naming the file or the lacking controller."""
    for controller, write in _WRITERS.items():
        directory = directories.get(controller)
        if directory is not None:
            write(directory, resources)
        elif controller in needed(resources):
            raise OSError(errno.EOPNOTSUPP, f"the kernel offers no {controller} control group")


def needed(resources: Resources) -> set[str]:
    """Controllers without which these limits cannot be kept."""
    wanted = {
        "memory": resources.memory_limit or resources.memory_swap or resources.memory_reservation,
        "cpu": resources.cpu_shares or resources.cpu_quota or resources.cpu_rt_runtime,
        "cpuset": resources.cpuset_cpus or resources.cpuset_mems,
        "pids": resources.pids_limit and resources.pids_limit > 0,
        "blkio": resources.blkio_weight or resources.blkio_read_bps or resources.blkio_write_bps
        or resources.blkio_read_iops or resources.blkio_write_iops,
        "devices": resources.devices,
    }  # fmt: skip
    return {controller for controller, value in wanted.items() if value}


def _memory(directory: str, resources: Resources) -> None:
    limit, swap = resources.memory_limit, resources.memory_swap
    if limit is not None and swap is None:
        _write_optional(directory, "memory.memsw.limit_in_bytes", "-1") if limit == -1 else None
    current = read_value(directory, "memory.limit_in_bytes")
    # The swap limit may never be below the memory limit: raise it first, lower it last.
    swap_first = swap is not None and (swap == -1 or (current and swap > int(current)))
    if swap_first:
        _write_optional(directory, "memory.memsw.limit_in_bytes", str(swap))
    if limit is not None:
        write_value(directory, "memory.limit_in_bytes", str(limit))
    if swap is not None and not swap_first:
        _write_optional(directory, "memory.memsw.limit_in_bytes", str(swap))
    if resources.memory_reservation is not None:
        write_value(directory, "memory.soft_limit_in_bytes", str(resources.memory_reservation))
    if resources.memory_swappiness is not None and resources.memory_swappiness >= 0:
        write_value(directory, "memory.swappiness", str(resources.memory_swappiness))
    if resources.kernel_memory_tcp:
        bound = str(resources.kernel_memory_tcp)
        write_value(directory, "memory.kmem.tcp.limit_in_bytes", bound)
    if resources.oom_kill_disable:
        write_value(directory, "memory.oom_control", "1")


def _write_optional(directory: str, name: str, value: str) -> None:
    if os.path.exists(f"{directory}/{name}"):
        write_value(directory, name, value)


def _cpu(directory: str, resources: Resources) -> None:
    if resources.cpu_shares:
        write_value(directory, "cpu.shares", str(resources.cpu_shares))
    if resources.cpu_rt_period:
        write_value(directory, "cpu.rt_period_us", str(resources.cpu_rt_period))
    if resources.cpu_rt_runtime:
        write_value(directory, "cpu.rt_runtime_us", str(resources.cpu_rt_runtime))
    if resources.cpu_period:
        try:
            write_value(directory, "cpu.cfs_period_us", str(resources.cpu_period))
        except OSError as error:
            # The new period may be refused beside the old quota; with the quota first it is not.
            if error.errno != errno.EINVAL or not resources.cpu_quota:
                raise
            write_value(directory, "cpu.cfs_quota_us", str(resources.cpu_quota))
            write_value(directory, "cpu.cfs_period_us", str(resources.cpu_period))
    if resources.cpu_quota:
        write_value(directory, "cpu.cfs_quota_us", str(resources.cpu_quota))


def _cpuset(directory: str, resources: Resources) -> None:
    if resources.cpuset_cpus:
        write_value(directory, "cpuset.cpus", resources.cpuset_cpus)
    if resources.cpuset_mems:
        write_value(directory, "cpuset.mems", resources.cpuset_mems)


def _pids(directory: str, resources: Resources) -> None:
    if resources.pids_limit is not None:
        limit = resources.pids_limit
        write_value(directory, "pids.max", str(limit) if limit > 0 else "max")


def _blkio(directory: str, resources: Resources) -> None:
    if resources.blkio_weight:
        _write_first(directory, ("blkio.bfq.weight", "blkio.weight"), str(resources.blkio_weight))
    for throttle in resources.blkio_weight_device:
        _write_first(
            directory, ("blkio.bfq.weight_device", "blkio.weight_device"), _throttle(throttle)
        )
    limits: tuple[tuple[str, Sequence[Throttle]], ...] = (
        ("blkio.throttle.read_bps_device", resources.blkio_read_bps),
        ("blkio.throttle.write_bps_device", resources.blkio_write_bps),
        ("blkio.throttle.read_iops_device", resources.blkio_read_iops),
        ("blkio.throttle.write_iops_device", resources.blkio_write_iops),
    )
    for name, throttles in limits:
        for throttle in throttles:
            write_value(directory, name, _throttle(throttle))


def _write_first(directory: str, names: Sequence[str], value: str) -> None:
    for name in names:
        if os.path.exists(f"{directory}/{name}"):
            write_value(directory, name, value)
            return
    raise OSError(errno.EOPNOTSUPP, f"the kernel offers no {names[-1]}: block I/O weight is lost")


def _throttle(throttle: Throttle) -> str:
    return f"{throttle.major}:{throttle.minor} {throttle.rate}"


def _devices(directory: str, resources: Resources) -> None:
    for rule in resources.devices:
        write_value(directory, "devices.allow" if rule.allow else "devices.deny", _rule(rule))


def _rule(rule: DeviceRule) -> str:
    if rule.type == "a":
        return "a"
    numbers = ["*" if number < 0 else str(number) for number in (rule.major, rule.minor)]
    return f"{rule.type} {numbers[0]}:{numbers[1]} {rule.access}"


_WRITERS: dict[str, Callable[[str, Resources], None]] = {
    "memory": _memory,
    "cpu": _cpu,
    "cpuset": _cpuset,
    "pids": _pids,
    "blkio": _blkio,
    "devices": _devices,
}
