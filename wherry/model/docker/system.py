"""The engine as a whole, as the Engine API writes it (API 1.55, types/system)."""

from typing import Any

import msgspec

API_VERSION = "1.55"
MIN_API_VERSION = "1.24"

INDEX_SERVER = "https://index.docker.io/v1/"


class Commit(msgspec.Struct, frozen=True, kw_only=True):
    """A helper program's version; this engine has none and says so."""

    id: str = msgspec.field(name="ID", default="N/A")


class Plugins(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """What is built in, by kind of plugin."""

    volume: list[str]
    network: list[str]
    authorization: list[str] | None = None
    log: list[str]


class IndexInfo(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """How one registry is reached."""

    name: str
    mirrors: list[str]
    secure: bool
    official: bool


class RegistryConfig(msgspec.Struct, frozen=True, kw_only=True):
    """How registries are reached."""

    no_cidrs: None = msgspec.field(name="AllowNondistributableArtifactsCIDRs", default=None)
    no_hosts: None = msgspec.field(name="AllowNondistributableArtifactsHostnames", default=None)
    insecure: list[str] = msgspec.field(name="InsecureRegistryCIDRs")
    indexes: dict[str, IndexInfo] = msgspec.field(name="IndexConfigs")
    mirrors: list[str] = msgspec.field(name="Mirrors")


class SwarmInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The swarm that this engine is not in."""

    node_id: str = msgspec.field(name="NodeID", default="")
    node_addr: str = msgspec.field(name="NodeAddr", default="")
    state: str = msgspec.field(name="LocalNodeState", default="inactive")
    control: bool = msgspec.field(name="ControlAvailable", default=False)
    error: str = msgspec.field(name="Error", default="")
    remote_managers: None = msgspec.field(name="RemoteManagers", default=None)


class InfoResponse(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """The answer to GET /info, in dockerd's order of fields."""

    id: str = msgspec.field(name="ID")
    containers: int
    containers_running: int
    containers_paused: int
    containers_stopped: int
    images: int
    driver: str
    driver_status: list[tuple[str, str]]
    plugins: Plugins
    memory_limit: bool
    swap_limit: bool
    cpu_cfs_period: bool
    cpu_cfs_quota: bool
    cpu_shares: bool = msgspec.field(name="CPUShares")
    cpu_set: bool = msgspec.field(name="CPUSet")
    pids_limit: bool
    ipv4_forwarding: bool = msgspec.field(name="IPv4Forwarding")
    debug: bool
    n_fd: int = msgspec.field(name="NFd")
    oom_kill_disable: bool
    n_goroutines: int
    system_time: str
    logging_driver: str
    cgroup_driver: str
    cgroup_version: str
    n_events_listener: int
    kernel_version: str
    operating_system: str
    os_version: str = msgspec.field(name="OSVersion")
    os_type: str = msgspec.field(name="OSType")
    architecture: str
    index_server_address: str
    registry_config: RegistryConfig
    ncpu: int = msgspec.field(name="NCPU")
    mem_total: int
    generic_resources: None = None
    docker_root_dir: str
    http_proxy: str
    https_proxy: str
    no_proxy: str
    name: str
    labels: list[str]
    experimental_build: bool
    server_version: str
    runtimes: dict[str, dict[str, str]]
    default_runtime: str
    swarm: SwarmInfo
    live_restore_enabled: bool
    isolation: str
    init_binary: str
    containerd_commit: Commit
    runc_commit: Commit
    init_commit: Commit
    security_options: list[str]
    product_license: str
    default_address_pools: list[dict[str, Any]] | msgspec.UnsetType
    firewall_backend: dict[str, str]
    cdi_spec_dirs: list[str] = msgspec.field(name="CDISpecDirs")
    warnings: list[str] | None


class ComponentVersion(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """The version of one part of the engine."""

    name: str
    version: str
    details: dict[str, str]


class VersionResponse(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """The answer to GET /version, in dockerd's order of fields."""

    platform: dict[str, str]
    components: list[ComponentVersion]
    version: str
    api_version: str
    min_api_version: str = msgspec.field(name="MinAPIVersion")
    git_commit: str
    go_version: str
    os: str
    arch: str
    kernel_version: str
    build_time: str
