"""Limits that this machine cannot keep: discarded with dockerd's warnings, or refused. Pure."""

from collections.abc import Set
from typing import TypeVar

import msgspec

from wherry.base.errors import InvalidParameter
from wherry.model.docker.container import Resources

R = TypeVar("R", bound=Resources)

_LACKS = "Your kernel does not support"
_OR = "or the cgroup is not mounted."

DISCARDED: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (("memory", "memory_swap"), "memory",
     f"{_LACKS} memory limit capabilities {_OR} Limitation discarded."),
    (("memory_swap",), "memory.swap",
     f"{_LACKS} swap limit capabilities {_OR} Memory limited without swap."),
    (("memory_swappiness",), "memory.swappiness",
     f"{_LACKS} memory swappiness capabilities {_OR} Memory swappiness discarded."),
    (("memory_reservation",), "memory.reservation",
     f"{_LACKS} memory soft limit capabilities {_OR} Limitation discarded."),
    (("kernel_memory_tcp",), "memory.kernel_tcp",
     f"{_LACKS} kernel memory TCP limit capabilities {_OR} Limitation discarded."),
    (("oom_kill_disable",), "memory.oom_kill_disable",
     f"{_LACKS} OomKillDisable. OomKillDisable discarded."),
    (("pids_limit",), "pids",
     f"{_LACKS} PIDs limit capabilities {_OR} PIDs limit discarded."),
    (("cpu_shares",), "cpu.shares", f"{_LACKS} CPU shares {_OR} Shares discarded."),
    (("cpu_period", "cpu_quota"), "cpu.quota",
     f"{_LACKS} CPU CFS scheduler. CPU period/quota discarded."),
    (("cpuset_cpus", "cpuset_mems"), "cpuset", f"{_LACKS} cpuset {_OR} Cpuset discarded."),
    (("blkio_weight",), "io.weight", f"{_LACKS} Block I/O weight {_OR} Weight discarded."),
    (("blkio_weight_device",), "io.weight_device",
     f"{_LACKS} Block I/O weight_device {_OR} Weight-device discarded."),
    (("blkio_device_read_bps",), "io.max",
     f"{_LACKS} BPS Block I/O read limit {_OR} Block I/O BPS read limit discarded."),
    (("blkio_device_write_bps",), "io.max",
     f"{_LACKS} BPS Block I/O write limit {_OR} Block I/O BPS write limit discarded."),
    (("blkio_device_read_iops",), "io.max",
     f"{_LACKS} IOPS Block read limit {_OR} Block I/O IOPS read limit discarded."),
    (("blkio_device_write_iops",), "io.max",
     f"{_LACKS} IOPS Block write limit {_OR} Block I/O IOPS write limit discarded."),
    (("cpu_count",), "windows", "CPU count is a limit of Windows containers. CPU count discarded."),
    (("cpu_percent",), "windows",
     "CPU percent is a limit of Windows containers. CPU percent discarded."),
    (("io_maximum_iops",), "windows",
     "Maximum IOps is a limit of Windows containers. Maximum IOps discarded."),
    (("io_maximum_bandwidth",), "windows",
     "Maximum bandwidth is a limit of Windows containers. Maximum bandwidth discarded."),
)  # fmt: skip
"""Fields, the facility that keeps them, and what is said when it is missing."""

REFUSED: tuple[tuple[str, str, str], ...] = (
    ("nano_cpus", "cpu.quota",
     "NanoCPUs can not be set, as your kernel does not support CPU CFS scheduler or the cgroup is "
     "not mounted"),
    ("cpu_realtime_period", "cpu.realtime",
     "Your kernel does not support cgroup cpu real-time period"),
    ("cpu_realtime_runtime", "cpu.realtime",
     "Your kernel does not support cgroup cpu real-time runtime"),
)  # fmt: skip
"""Fields that are refused where their facility is missing."""


def discard_unsupported(limits: R, facilities: Set[str]) -> tuple[R, list[str]]:
    """The limits that can be kept, and a warning for each that cannot.

    Raises InvalidParameter for those that dockerd refuses then.
    """
    for name, facility, text in REFUSED:
        if getattr(limits, name) and facility not in facilities:
            raise InvalidParameter(text)
    warnings: list[str] = []
    for names, facility, text in DISCARDED:
        given = [name for name in names if getattr(limits, name) not in _UNSET]
        if not given or facility in facilities:
            continue
        empty = type(limits)()
        limits = msgspec.structs.replace(limits, **{name: getattr(empty, name) for name in given})
        if given[0] == names[0]:
            warnings.append(text)
    return limits, warnings


_UNSET: tuple[object, ...] = (None, 0, -1, "", False, [])
