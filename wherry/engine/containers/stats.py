"""Statistics of containers: samples of control group and network counters, by timers."""

import asyncio
import os
from collections.abc import AsyncGenerator

import msgspec

from wherry.base.clock import now_ns, rfc3339_nano
from wherry.engine.containers.container import Container
from wherry.engine.containers.defaults import ContainerDefaults
from wherry.engine.containers.groups import group_of
from wherry.engine.containers.index import ContainerIndex
from wherry.engine.pools import Pools
from wherry.linux.cgroup.stats import BlockEntry, CgroupStats, read_stats
from wherry.model.docker.stats import (
    BlkioEntry,
    BlkioStats,
    ContainerStats,
    CpuStats,
    CpuUsage,
    MemoryStats,
    NetworkStats,
    PidsStats,
    ThrottlingData,
)

INTERVAL = 1.0
"""Seconds between samples."""

_NO_LIMIT = (1 << 64) - 1
_TICK_NANOSECONDS = 1_000_000_000 // os.sysconf("SC_CLK_TCK")


class ReadStats:
    """Samples containers; nothing is sampled while nobody asks."""

    def __init__(self, index: ContainerIndex, defaults: ContainerDefaults, pools: Pools) -> None:
        self._index = index
        self._defaults = defaults
        self._pools = pools
        self._memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")

    def find(self, reference: str) -> Container:
        """The container; raises NoSuchContainer."""
        return self._index.get(reference)

    async def once(self, container: Container, *, one_shot: bool) -> ContainerStats:
        """One sample; unless `one_shot`, a second later than the one that it is compared with."""
        first = await self.sample(container)
        if one_shot or not container.state.pid:
            return first
        await asyncio.sleep(INTERVAL)
        return _following(await self.sample(container), first)

    async def stream(self, container: Container) -> AsyncGenerator[ContainerStats, None]:
        """A sample every second until the container is removed; an empty one while it is down."""
        before: ContainerStats | None = None
        while not container.removed:
            present = await self.sample(container)
            yield _following(present, before) if before else present
            before = present
            await asyncio.sleep(INTERVAL)

    async def sample(self, container: Container) -> ContainerStats:
        """The present counters; an empty value if the container does not run."""
        empty = ContainerStats(id=container.id, name=f"/{container.name}")
        if not container.state.pid:
            return empty
        try:
            return await self._pools.run("stats", self._read, container, empty)
        except (FileNotFoundError, ProcessLookupError):
            return empty  # it ended meanwhile

    def _read(self, container: Container, empty: ContainerStats) -> ContainerStats:
        host = container.record.host
        found = read_stats(group_of(container, self._defaults))
        version = self._defaults.layout.version
        own_network = host.network_mode not in ("host", "none")
        networks = read_network(container.state.pid) if own_network else {}
        return msgspec.structs.replace(
            empty,
            read=rfc3339_nano(now_ns()),
            pids_stats=_pids(found, version),
            blkio_stats=_block(found, version),
            cpu_stats=_cpu(found, self._defaults.cpus),
            memory_stats=_memory(found, version, self._memory),
            networks=networks or msgspec.UNSET,
        )


def _following(present: ContainerStats, before: ContainerStats) -> ContainerStats:
    return msgspec.structs.replace(present, preread=before.read, precpu_stats=before.cpu_stats)


def _pids(found: CgroupStats, version: int) -> PidsStats:
    limit: int | msgspec.UnsetType = found.pids_limit or msgspec.UNSET
    if not found.pids_limit and version == 2:
        limit = _NO_LIMIT
    return PidsStats(current=found.pids_current, limit=limit)


def _block(found: CgroupStats, version: int) -> BlkioStats:
    return BlkioStats(
        io_service_bytes_recursive=_entries(found.block_bytes),
        # As Docker: of version 2 only bytes are told.
        io_serviced_recursive=_entries(found.block_operations) if version == 1 else None,
    )


def _entries(entries: tuple[BlockEntry, ...]) -> list[BlkioEntry] | None:
    return [BlkioEntry(item.major, item.minor, item.op, item.value) for item in entries] or None


def _cpu(found: CgroupStats, cpus: int) -> CpuStats:
    return CpuStats(
        cpu_usage=CpuUsage(
            total_usage=found.cpu_total,
            percpu_usage=list(found.cpu_per_cpu) or msgspec.UNSET,
            usage_in_kernelmode=found.cpu_system,
            usage_in_usermode=found.cpu_user,
        ),
        system_cpu_usage=read_system_cpu(),
        online_cpus=os.cpu_count() or cpus,
        throttling_data=ThrottlingData(
            found.periods, found.throttled_periods, found.throttled_time
        ),
    )


def _memory(found: CgroupStats, version: int, machine: int) -> MemoryStats:
    limit = found.memory_limit
    first = version == 1
    return MemoryStats(
        usage=found.memory_usage,
        max_usage=found.memory_max_usage if first else msgspec.UNSET,
        stats=found.memory_stat,
        failcnt=found.memory_failcnt if first or found.memory_failcnt else msgspec.UNSET,
        limit=machine if limit <= 0 or limit > machine else limit,
    )


def read_system_cpu() -> int:
    """Nanoseconds that all processors have spent, idle or not (proc_stat(5), seven fields)."""
    with open("/proc/stat", encoding="ascii") as file:
        fields = file.readline().split()
    return sum(int(value) for value in fields[1:8]) * _TICK_NANOSECONDS


def read_network(pid: int) -> dict[str, NetworkStats]:
    """The counters of the interfaces that a process sees, but for the loopback."""
    with open(f"/proc/{pid}/net/dev", encoding="ascii") as file:
        lines = file.read().splitlines()[2:]
    found: dict[str, NetworkStats] = {}
    for line in lines:
        name, _, rest = line.partition(":")
        values = [int(value) for value in rest.split()]
        if name.strip() != "lo":
            found[name.strip()] = NetworkStats(*values[0:4], *values[8:12])
    return found
