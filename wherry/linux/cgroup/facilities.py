"""Which limits this machine's control groups can keep, found by the files that would hold them."""

import os
from pathlib import Path

from wherry.linux.cgroup.layout import CgroupLayout

_V1 = {
    "memory": ("memory", "memory.limit_in_bytes"),
    "memory.swap": ("memory", "memory.memsw.limit_in_bytes"),
    "memory.swappiness": ("memory", "memory.swappiness"),
    "memory.reservation": ("memory", "memory.soft_limit_in_bytes"),
    "memory.kernel_tcp": ("memory", "memory.kmem.tcp.limit_in_bytes"),
    "memory.oom_kill_disable": ("memory", "memory.oom_control"),
    "pids": ("pids", ""),
    "cpu.shares": ("cpu", "cpu.shares"),
    "cpu.quota": ("cpu", "cpu.cfs_quota_us"),
    "cpu.realtime": ("cpu", "cpu.rt_runtime_us"),
    "cpuset": ("cpuset", ""),
    "io.weight": ("blkio", "blkio.weight blkio.bfq.weight"),
    "io.weight_device": ("blkio", "blkio.weight_device blkio.bfq.weight_device"),
    "io.max": ("blkio", "blkio.throttle.read_bps_device"),
}
"""Version 1: controller and files, one of which must be there (any, where none is named)."""

_V2 = {
    "memory": ("memory", "memory.max"),
    "memory.swap": ("memory", "memory.swap.max"),
    "memory.reservation": ("memory", "memory.low"),
    "pids": ("pids", "pids.max"),
    "cpu.shares": ("cpu", "cpu.weight"),
    "cpu.quota": ("cpu", "cpu.max"),
    "cpuset": ("cpuset", "cpuset.cpus"),
    "io.weight": ("io", "io.weight io.bfq.weight"),
    "io.weight_device": ("io", "io.bfq.weight"),
    "io.max": ("io", "io.max"),
}
"""Version 2; what is not named here the unified hierarchy does not have."""

FACILITIES = frozenset(_V1)
"""Everything that some machine can keep."""


def find_facilities(layout: CgroupLayout) -> frozenset[str]:
    """The limits that can be kept here.

    Files of version 2 are looked for in a group below the root, which itself has none; where no
    group is there yet, the controller's presence must do.
    """
    if layout.version == 1:
        return frozenset(
            name
            for name, (controller, files) in _V1.items()
            if controller in layout.controllers
            and (not files or _has_one(layout.controllers[controller], files))
        )
    groups = [entry.path for entry in os.scandir(layout.root) if entry.is_dir()]
    available = layout.available()
    found = {
        name
        for name, (controller, files) in _V2.items()
        if controller in available
        and (not (using := _using(groups, controller)) or _has_one(using, files))
    }
    return frozenset(found if _has_bfq() else found - {"io.weight_device"})


def _has_bfq() -> bool:
    """Whether the kernel has the scheduler that keeps weights of single devices.

    (io.weight takes them only for devices for which iocost was set up.)
    """
    schedulers = Path("/sys/block").glob("*/queue/scheduler")
    return any("bfq" in path.read_text() for path in schedulers)


def _using(groups: list[str], controller: str) -> str:
    """A group that the controller is turned on for, empty if there is none."""
    for group in groups:
        path = Path(group, "cgroup.controllers")
        if path.exists() and controller in path.read_text().split():
            return group
    return ""


def _has_one(directory: str, files: str) -> bool:
    return any(os.path.exists(f"{directory}/{name}") for name in files.split())
