"""Writing limits to the unified hierarchy (Documentation/admin-guide/cgroup-v2.rst)."""

import errno
import os

from wherry.linux.cgroup.device_program import attach_device_program
from wherry.linux.cgroup.layout import read_value, write_value
from wherry.linux.cgroup.resources import Resources, Throttle
from wherry.linux.cgroup.weights import cpu_weight, io_weight, swap_bytes


def enable_controllers(root: str, directory: str) -> None:
    """Turns every controller on for `directory` along the path from the root.

    A group whose parent holds processes keeps fewer (EBUSY): what is needed and missing is named
    when its limit is written.
    """
    parent = root
    for part in directory[len(root) :].strip("/").split("/"):
        for controller in read_value(parent, "cgroup.controllers").split():
            if controller in read_value(parent, "cgroup.subtree_control").split():
                continue
            try:
                write_value(parent, "cgroup.subtree_control", f"+{controller}")
            except OSError as error:
                if error.errno not in (errno.EBUSY, errno.EOPNOTSUPP, errno.ENOENT, errno.EINVAL):
                    raise
        parent = f"{parent}/{part}"
        if not os.path.isdir(parent):
            os.mkdir(parent, 0o755)


def apply(directory: str, resources: Resources) -> None:
    """Writes every limit that is set; raises OSError naming the file and the value."""
    for name, value in control_values(directory, resources):
        try:
            write_value(directory, name, value)
        except FileNotFoundError as error:
            controller = name.partition(".")[0]
            raise OSError(
                errno.EOPNOTSUPP,
                f"the {controller} controller is not available in {directory}: "
                f"cannot set {name} to {value}",
            ) from error
    if resources.devices:
        attach_device_program(directory, resources.devices)


def control_values(directory: str, resources: Resources) -> list[tuple[str, str]]:
    """File and value for each limit that is set."""
    values: list[tuple[str, str]] = []
    limit = resources.memory_limit
    swap = swap_bytes(limit, resources.memory_swap)
    if limit is not None and limit != 0:
        values.append(("memory.max", _max(limit)))
    if swap is not None and os.path.exists(f"{directory}/memory.swap.max"):
        values.append(("memory.swap.max", _max(swap) if swap else "0"))
    if resources.memory_reservation:
        values.append(("memory.low", _max(resources.memory_reservation)))
    if resources.cpu_shares:
        values.append(("cpu.weight", str(cpu_weight(resources.cpu_shares))))
    if resources.cpu_quota or resources.cpu_period:
        values.append(("cpu.max", _cpu_max(directory, resources)))
    if resources.cpuset_cpus:
        values.append(("cpuset.cpus", resources.cpuset_cpus))
    if resources.cpuset_mems:
        values.append(("cpuset.mems", resources.cpuset_mems))
    if resources.pids_limit is not None:
        values.append(("pids.max", _max(resources.pids_limit)))
    if resources.blkio_weight:
        if os.path.exists(f"{directory}/io.bfq.weight"):
            values.append(("io.bfq.weight", str(resources.blkio_weight)))
        else:
            values.append(("io.weight", f"default {io_weight(resources.blkio_weight)}"))
    for item in resources.blkio_weight_device:
        values.append(("io.bfq.weight", f"{item.major}:{item.minor} {item.rate}"))
    for key, throttles in (
        ("rbps", resources.blkio_read_bps),
        ("wbps", resources.blkio_write_bps),
        ("riops", resources.blkio_read_iops),
        ("wiops", resources.blkio_write_iops),
    ):
        values.extend(("io.max", _io_max(throttle, key)) for throttle in throttles)
    values.extend(sorted(resources.unified.items()))
    return values


def _cpu_max(directory: str, resources: Resources) -> str:
    """Quota and period; the one that is not given stays as it is."""
    words = read_value(directory, "cpu.max").split() or ["max", "100000"]
    if resources.cpu_quota:
        words[0] = str(resources.cpu_quota) if resources.cpu_quota > 0 else "max"
    if resources.cpu_period:
        words[1] = str(resources.cpu_period)
    return " ".join(words)


def _max(value: int) -> str:
    return "max" if value <= 0 else str(value)


def _io_max(throttle: Throttle, key: str) -> str:
    return f"{throttle.major}:{throttle.minor} {key}={throttle.rate}"
