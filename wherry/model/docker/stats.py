"""A container's statistics in Docker's Engine API (API 1.55): times in nanoseconds, else bytes."""

import msgspec

from wherry.base.clock import ZERO_TIME


class CpuUsage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=False):
    """Processor time since the start; per processor on cgroup version 1 only."""

    total_usage: int = 0
    percpu_usage: list[int] | msgspec.UnsetType = msgspec.UNSET
    usage_in_kernelmode: int = 0
    usage_in_usermode: int = 0


class ThrottlingData(msgspec.Struct, frozen=True):
    """How often and how long a limit held the container up."""

    periods: int = 0
    throttled_periods: int = 0
    throttled_time: int = 0


class CpuStats(msgspec.Struct, frozen=True, kw_only=True):
    """The container's processor time and the whole machine's."""

    cpu_usage: CpuUsage = CpuUsage()
    system_cpu_usage: int | msgspec.UnsetType = msgspec.UNSET
    online_cpus: int | msgspec.UnsetType = msgspec.UNSET
    throttling_data: ThrottlingData = ThrottlingData()


class MemoryStats(msgspec.Struct, frozen=True, kw_only=True):
    """Empty for a container that does not run."""

    usage: int | msgspec.UnsetType = msgspec.UNSET
    max_usage: int | msgspec.UnsetType = msgspec.UNSET
    stats: dict[str, int] | msgspec.UnsetType = msgspec.UNSET
    failcnt: int | msgspec.UnsetType = msgspec.UNSET
    limit: int | msgspec.UnsetType = msgspec.UNSET


class BlkioEntry(msgspec.Struct, frozen=True):
    """One device and operation."""

    major: int
    minor: int
    op: str
    value: int


class BlkioStats(msgspec.Struct, frozen=True, kw_only=True):
    """Block devices; what today's kernels do not count is null."""

    io_service_bytes_recursive: list[BlkioEntry] | None = None
    io_serviced_recursive: list[BlkioEntry] | None = None
    io_queue_recursive: None = None
    io_service_time_recursive: None = None
    io_wait_time_recursive: None = None
    io_merged_recursive: None = None
    io_time_recursive: None = None
    sectors_recursive: None = None


class PidsStats(msgspec.Struct, frozen=True, kw_only=True):
    """Processes and threads."""

    current: int | msgspec.UnsetType = msgspec.UNSET
    limit: int | msgspec.UnsetType = msgspec.UNSET


class NetworkStats(msgspec.Struct, frozen=True):
    """One interface, seen from inside."""

    rx_bytes: int
    rx_packets: int
    rx_errors: int
    rx_dropped: int
    tx_bytes: int
    tx_packets: int
    tx_errors: int
    tx_dropped: int


class ContainerStats(msgspec.Struct, frozen=True, kw_only=True):
    """One sample, with the processor part of the one before it."""

    id: str
    name: str
    os_type: str | msgspec.UnsetType = "linux"
    read: str = ZERO_TIME
    preread: str = ZERO_TIME
    pids_stats: PidsStats = PidsStats()
    blkio_stats: BlkioStats = BlkioStats()
    num_procs: int = 0
    storage_stats: dict[str, int] = {}
    cpu_stats: CpuStats = CpuStats()
    precpu_stats: CpuStats = CpuStats()
    memory_stats: MemoryStats = MemoryStats()
    networks: dict[str, NetworkStats] | msgspec.UnsetType = msgspec.UNSET
