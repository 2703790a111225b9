"""What the daemon's options say of every container."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from wherry.base.live_settings import LiveSettings
from wherry.linux.bounds import Bounds
from wherry.linux.cgroup.facilities import FACILITIES
from wherry.linux.cgroup.layout import CgroupLayout
from wherry.linux.cgroup.scope import slice_path


class ContainerDefaults(LiveSettings, kw_only=True):
    """Settings that create and start share; paths are the daemon's roots."""

    data_root: Path
    exec_root: Path
    layout: CgroupLayout
    cgroup_parent: str
    cgroup_driver: str = "cgroupfs"
    instance: str = "wherry"
    monitor_units: tuple[str, ...] = ()
    cpus: int
    memory_nodes: int = 1
    architecture: str
    shm_size: int = 64 << 20
    ipc_mode: str = "private"
    cgroupns_mode: str = ""
    ulimits: tuple[tuple[str, int, int], ...] = ()
    no_new_privileges: bool = False
    seccomp_profile: str = ""
    init: bool = False
    init_path: str = ""
    log_driver: str = "json-file"
    log_opts: Mapping[str, str] = msgspec.field(default_factory=dict)
    dns: tuple[str, ...] = ()
    dns_search: tuple[str, ...] = ()
    dns_options: tuple[str, ...] = ()
    host_gateway: tuple[str, ...] = ()
    stop_timeout: int = 10
    live_restore: bool = True
    shutdown_timeout: int = 15
    apparmor: str = ""
    facilities: frozenset[str] = FACILITIES
    bounds: Bounds | None = None

    def container_dir(self, identifier: str) -> Path:
        """Where a container's files are: log, hosts, hostname, resolv.conf."""
        return self.data_root / "containers" / identifier

    def state_dir(self, identifier: str) -> Path:
        """Where its monitor keeps state, socket and exits."""
        return self.exec_root / "containers" / identifier

    def cgroup_path(self, identifier: str, parent: str = "") -> str:
        """Its control group: a scope in a slice where systemd makes them, else a directory."""
        if self.cgroup_driver == "systemd":
            return f"{slice_path(parent or self.cgroup_parent)}/{self.instance}-{identifier}.scope"
        return f"/{(parent or self.cgroup_parent).strip('/')}/{identifier}"

    @property
    def private_cgroupns(self) -> bool:
        """Whether a container gets a cgroup namespace of its own unless told otherwise."""
        if self.cgroupns_mode:
            return self.cgroupns_mode == "private"
        return self.layout.version == 2
