"""The machine that the engine runs on, read from /proc, /sys and /etc/os-release."""

import os
import platform
from pathlib import Path

import msgspec

from wherry.linux.cgroup.layout import CgroupLayout

GO_ARCHITECTURES = {
    "x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "i686": "386", "ppc64le": "ppc64le",
    "s390x": "s390x", "riscv64": "riscv64",
}  # fmt: skip
"""The names that images use for what uname(2) calls the machine."""


class Host(msgspec.Struct, frozen=True, kw_only=True):
    """What does not change while the daemon runs."""

    name: str
    kernel: str
    machine: str
    architecture: str
    operating_system: str
    os_version: str
    cpus: int
    memory: int
    cgroup_version: int
    memory_limit: bool
    swap_limit: bool
    cpu_quota: bool
    cpu_shares: bool
    cpu_set: bool
    pids_limit: bool
    oom_kill_disable: bool
    block_io: bool = True
    seccomp: bool
    apparmor: bool


def read_host() -> Host:
    """Reads the machine's facts once, at the daemon's start."""
    uname = os.uname()
    release = _os_release()
    layout = CgroupLayout.detect()
    available = layout.available()
    first = layout.version == 1
    memory = Path(layout.controllers.get("memory", ""))
    cpu = Path(layout.controllers.get("cpu", ""))
    has_cpu = "cpu" in available
    return Host(
        name=uname.nodename,
        kernel=uname.release,
        machine=uname.machine,
        architecture=GO_ARCHITECTURES.get(uname.machine, uname.machine),
        operating_system=release.get("PRETTY_NAME", platform.system()),
        os_version=release.get("VERSION_ID", ""),
        cpus=len(os.sched_getaffinity(0)),
        memory=os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
        cgroup_version=layout.version,
        memory_limit="memory" in available,
        swap_limit="memory" in available
        and (not first or (memory / "memory.memsw.limit_in_bytes").exists()),
        cpu_quota=has_cpu and (not first or (cpu / "cpu.cfs_quota_us").exists()),
        cpu_shares=has_cpu,
        cpu_set="cpuset" in available,
        pids_limit="pids" in available,
        oom_kill_disable=first and (memory / "memory.oom_control").exists(),
        block_io=first or "io" in available,
        seccomp=Path("/proc/sys/kernel/seccomp").exists(),
        apparmor=apparmor_is_on(),
    )


def ipv4_forwarding() -> bool:
    """Whether the host forwards IPv4 now."""
    return _is_one(Path("/proc/sys/net/ipv4/ip_forward"))


def open_descriptors() -> int:
    """Descriptors that the daemon has open."""
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def _is_one(path: Path) -> bool:
    try:
        return path.read_text().strip() == "1"
    except OSError:
        return False


def apparmor_is_on() -> bool:
    """Whether the kernel has AppArmor confine processes."""
    try:
        return Path("/sys/module/apparmor/parameters/enabled").read_text().startswith("Y")
    except OSError:
        return False


def _os_release() -> dict[str, str]:
    try:
        return platform.freedesktop_os_release()
    except OSError:
        return {}
