"""Limits as the OCI runtime specification words them (config-linux.md), zero or None if unset."""

import msgspec


class DeviceRule(msgspec.Struct, frozen=True):
    """One line of the device list; major or minor of -1 stands for all."""

    allow: bool
    type: str = "a"
    major: int = -1
    minor: int = -1
    access: str = "rwm"


class Throttle(msgspec.Struct, frozen=True):
    """A limit for one block device, in bytes or operations a second (or a weight)."""

    major: int
    minor: int
    rate: int


class Resources(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a control group may use: bytes, shares of 1024, microseconds, processes."""

    memory_limit: int | None = None
    memory_reservation: int | None = None
    memory_swap: int | None = None
    memory_swappiness: int | None = None
    oom_kill_disable: bool = False
    kernel_memory_tcp: int | None = None
    cpu_shares: int = 0
    cpu_period: int = 0
    cpu_quota: int = 0
    cpu_rt_period: int = 0
    cpu_rt_runtime: int = 0
    cpuset_cpus: str = ""
    cpuset_mems: str = ""
    pids_limit: int | None = None
    blkio_weight: int = 0
    blkio_weight_device: tuple[Throttle, ...] = ()
    blkio_read_bps: tuple[Throttle, ...] = ()
    blkio_write_bps: tuple[Throttle, ...] = ()
    blkio_read_iops: tuple[Throttle, ...] = ()
    blkio_write_iops: tuple[Throttle, ...] = ()
    devices: tuple[DeviceRule, ...] = ()
    unified: dict[str, str] = {}
