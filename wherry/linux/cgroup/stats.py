"""What a control group has used, in the units of Docker's statistics."""

import msgspec

from wherry.linux.cgroup.group import Cgroup
from wherry.linux.cgroup.layout import read_keyed, read_value


class BlockEntry(msgspec.Struct, frozen=True):
    """Bytes or operations of one block device for one operation (`Read`, `Write`, ...)."""

    major: int
    minor: int
    op: str
    value: int


class CgroupStats(msgspec.Struct, frozen=True, kw_only=True):
    """Processor time in nanoseconds, memory in bytes."""

    cpu_total: int = 0
    cpu_user: int = 0
    cpu_system: int = 0
    cpu_per_cpu: tuple[int, ...] = ()
    periods: int = 0
    throttled_periods: int = 0
    throttled_time: int = 0
    memory_usage: int = 0
    memory_max_usage: int = 0
    memory_limit: int = 0
    memory_failcnt: int = 0
    memory_stat: dict[str, int] = {}
    pids_current: int = 0
    pids_limit: int = 0
    block_bytes: tuple[BlockEntry, ...] = ()
    block_operations: tuple[BlockEntry, ...] = ()


def read_stats(group: Cgroup) -> CgroupStats:
    """The group's counters at this moment; raises FileNotFoundError if the group is gone."""
    directories = group.directories()
    if "" in directories:
        return _read_v2(directories[""])
    return _read_v1(directories)


def _number(directory: str | None, name: str) -> int:
    if directory is None:
        return 0
    text = read_value(directory, name)
    return int(text) if text.lstrip("-").isdecimal() else 0


def _read_v1(directories: dict[str, str]) -> CgroupStats:
    acct, memory = directories.get("cpuacct"), directories.get("memory")
    cpu, pids, blkio = (directories.get(name) for name in ("cpu", "pids", "blkio"))
    throttling = read_keyed(cpu, "cpu.stat") if cpu else {}
    ticks = read_keyed(acct, "cpuacct.stat") if acct else {}
    per_cpu = read_value(acct, "cpuacct.usage_percpu").split() if acct else []
    return CgroupStats(
        cpu_total=_number(acct, "cpuacct.usage"),
        cpu_user=ticks.get("user", 0) * 10_000_000,
        cpu_system=ticks.get("system", 0) * 10_000_000,
        cpu_per_cpu=tuple(int(value) for value in per_cpu),
        periods=throttling.get("nr_periods", 0),
        throttled_periods=throttling.get("nr_throttled", 0),
        throttled_time=throttling.get("throttled_time", 0),
        memory_usage=_number(memory, "memory.usage_in_bytes"),
        memory_max_usage=_number(memory, "memory.max_usage_in_bytes"),
        memory_limit=_number(memory, "memory.limit_in_bytes"),
        memory_failcnt=_number(memory, "memory.failcnt"),
        memory_stat=read_keyed(memory, "memory.stat") if memory else {},
        pids_current=_number(pids, "pids.current"),
        pids_limit=_number(pids, "pids.max"),
        block_bytes=_blkio(blkio, "blkio.throttle.io_service_bytes_recursive"),
        block_operations=_blkio(blkio, "blkio.throttle.io_serviced_recursive"),
    )


def _blkio(directory: str | None, name: str) -> tuple[BlockEntry, ...]:
    if directory is None:
        return ()
    entries: list[BlockEntry] = []
    for line in read_value(directory, name).splitlines():
        fields = line.split()
        if len(fields) == 3:
            major, _, minor = fields[0].partition(":")
            entries.append(BlockEntry(int(major), int(minor), fields[1], int(fields[2])))
    return tuple(entries)


def _read_v2(directory: str) -> CgroupStats:
    cpu = read_keyed(directory, "cpu.stat")
    reads: list[BlockEntry] = []
    operations: list[BlockEntry] = []
    for line in read_value(directory, "io.stat").splitlines():
        device, _, rest = line.partition(" ")
        major, _, minor = device.partition(":")
        values = dict(pair.split("=", 1) for pair in rest.split() if "=" in pair)
        for target, key, op in (
            (reads, "rbytes", "read"), (reads, "wbytes", "write"),
            (operations, "rios", "read"), (operations, "wios", "write"),
        ):  # fmt: skip
            target.append(BlockEntry(int(major), int(minor), op, int(values.get(key, 0))))
    return CgroupStats(
        cpu_total=cpu.get("usage_usec", 0) * 1000,
        cpu_user=cpu.get("user_usec", 0) * 1000,
        cpu_system=cpu.get("system_usec", 0) * 1000,
        periods=cpu.get("nr_periods", 0),
        throttled_periods=cpu.get("nr_throttled", 0),
        throttled_time=cpu.get("throttled_usec", 0) * 1000,
        memory_usage=_number(directory, "memory.current"),
        memory_max_usage=_number(directory, "memory.peak"),
        memory_limit=_number(directory, "memory.max"),
        memory_failcnt=read_keyed(directory, "memory.events").get("oom", 0),
        memory_stat=read_keyed(directory, "memory.stat"),
        pids_current=_number(directory, "pids.current"),
        pids_limit=_number(directory, "pids.max"),
        block_bytes=tuple(reads),
        block_operations=tuple(operations),
    )
