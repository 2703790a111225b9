"""Containers in Docker's Engine API: configuration, host configuration, networks (API 1.51)."""

from typing import Any

import msgspec

from wherry.model.image_config import HealthConfig

__all__ = ["HealthConfig"]


class _Shape(msgspec.Struct, frozen=True, rename="pascal"):
    """Names in Go's case; clients send null for empty lists and maps."""


class ContainerConfig(_Shape, frozen=True, kw_only=True):
    """What the image and the user say of the process."""

    hostname: str = ""
    domainname: str = ""
    user: str = ""
    attach_stdin: bool = False
    attach_stdout: bool = False
    attach_stderr: bool = False
    exposed_ports: dict[str, Any] | None = None
    tty: bool = False
    open_stdin: bool = False
    stdin_once: bool = False
    env: list[str] | None = None
    cmd: list[str] | str | None = None
    healthcheck: HealthConfig | None = None
    args_escaped: bool = False
    image: str = ""
    volumes: dict[str, Any] | None = None
    working_dir: str = ""
    entrypoint: list[str] | str | None = None
    network_disabled: bool = False
    mac_address: str = ""
    on_build: list[str] | None = None
    labels: dict[str, str] | None = None
    stop_signal: str = ""
    stop_timeout: int | None = None
    shell: list[str] | None = None


class RestartPolicy(_Shape, frozen=True):
    """When an ended container is started again."""

    name: str = ""
    maximum_retry_count: int = 0


class LogConfig(_Shape, frozen=True):
    """The log driver and its options."""

    type: str = ""
    config: dict[str, str] | None = None


class PortBinding(_Shape, frozen=True):
    """Where on the host a port is published."""

    host_ip: str = msgspec.field(name="HostIp", default="")
    host_port: str = ""


class DeviceMapping(_Shape, frozen=True):
    """A device of the host inside the container."""

    path_on_host: str = ""
    path_in_container: str = ""
    cgroup_permissions: str = ""


class DeviceRequest(_Shape, frozen=True):
    """Devices asked of a driver (`--gpus`, CDI)."""

    driver: str = ""
    count: int = 0
    device_ids: list[str] | None = msgspec.field(name="DeviceIDs", default=None)
    capabilities: list[list[str]] | None = None
    options: dict[str, str] | None = None


class Ulimit(_Shape, frozen=True):
    """A resource limit."""

    name: str = ""
    soft: int = 0
    hard: int = 0


class WeightDevice(_Shape, frozen=True):
    """A block I/O weight of one device."""

    path: str = ""
    weight: int = 0


class ThrottleDevice(_Shape, frozen=True):
    """A rate of one block device."""

    path: str = ""
    rate: int = 0


class BindOptions(_Shape, frozen=True):
    """Options of a bind mount."""

    propagation: str = ""
    non_recursive: bool = False
    create_mountpoint: bool = False
    read_only_non_recursive: bool = False
    read_only_force_recursive: bool = False


class VolumeDriver(_Shape, frozen=True):
    """The driver of a volume made on the way."""

    name: str = ""
    options: dict[str, str] | None = None


class VolumeOptions(_Shape, frozen=True):
    """Options of a volume mount."""

    no_copy: bool = False
    labels: dict[str, str] | None = None
    driver_config: VolumeDriver | None = None
    subpath: str = ""


class TmpfsOptions(_Shape, frozen=True):
    """Options of a tmpfs mount; `mode` as a number."""

    size_bytes: int = 0
    mode: int = 0
    options: list[list[str]] | None = None


class ImageOptions(_Shape, frozen=True):
    """Options of an image mount."""

    subpath: str = ""


class SecretOptions(_Shape, frozen=True):
    """Owner and mode of a secret's file, by the ids inside; Wherry's own."""

    uid: int = msgspec.field(name="UID", default=0)
    gid: int = msgspec.field(name="GID", default=0)
    mode: int = 0o444


class MountRequest(_Shape, frozen=True):
    """A mount as `--mount` words it."""

    type: str = ""
    source: str = ""
    target: str = ""
    read_only: bool = False
    consistency: str = ""
    bind_options: BindOptions | None = None
    volume_options: VolumeOptions | None = None
    image_options: ImageOptions | None = None
    tmpfs_options: TmpfsOptions | None = None
    secret_options: SecretOptions | None = None


class Resources(_Shape, frozen=True, kw_only=True):
    """Limits; also the body of an update."""

    cpu_shares: int = 0
    memory: int = 0
    nano_cpus: int = 0
    cgroup_parent: str = ""
    blkio_weight: int = 0
    blkio_weight_device: list[WeightDevice] | None = None
    blkio_device_read_bps: list[ThrottleDevice] | None = None
    blkio_device_write_bps: list[ThrottleDevice] | None = None
    blkio_device_read_iops: list[ThrottleDevice] | None = msgspec.field(
        name="BlkioDeviceReadIOps", default=None
    )
    blkio_device_write_iops: list[ThrottleDevice] | None = msgspec.field(
        name="BlkioDeviceWriteIOps", default=None
    )
    cpu_period: int = 0
    cpu_quota: int = 0
    cpu_realtime_period: int = 0
    cpu_realtime_runtime: int = 0
    cpuset_cpus: str = ""
    cpuset_mems: str = ""
    devices: list[DeviceMapping] | None = None
    device_cgroup_rules: list[str] | None = None
    device_requests: list[DeviceRequest] | None = None
    kernel_memory_tcp: int = msgspec.field(name="KernelMemoryTCP", default=0)
    memory_reservation: int = 0
    memory_swap: int = 0
    memory_swappiness: int | None = None
    oom_kill_disable: bool | None = None
    pids_limit: int | None = None
    ulimits: list[Ulimit] | None = None
    cpu_count: int = 0
    cpu_percent: int = 0
    io_maximum_iops: int = msgspec.field(name="IOMaximumIOps", default=0)
    io_maximum_bandwidth: int = msgspec.field(name="IOMaximumBandwidth", default=0)


class HostConfig(Resources, frozen=True, kw_only=True):
    """How the host runs the container."""

    binds: list[str] | None = None
    container_id_file: str = msgspec.field(name="ContainerIDFile", default="")
    log_config: LogConfig = LogConfig()
    network_mode: str = ""
    port_bindings: dict[str, list[PortBinding] | None] | None = None
    restart_policy: RestartPolicy = RestartPolicy()
    auto_remove: bool = False
    volume_driver: str = ""
    volumes_from: list[str] | None = None
    console_size: list[int] = msgspec.field(default_factory=lambda: [0, 0])
    annotations: dict[str, str] | None = None
    cap_add: list[str] | None = None
    cap_drop: list[str] | None = None
    cgroupns_mode: str = ""
    dns: list[str] | None = None
    dns_options: list[str] | None = None
    dns_search: list[str] | None = None
    extra_hosts: list[str] | None = None
    group_add: list[str] | None = None
    ipc_mode: str = ""
    cgroup: str = ""
    links: list[str] | None = None
    oom_score_adj: int = 0
    pid_mode: str = ""
    privileged: bool = False
    publish_all_ports: bool = False
    readonly_rootfs: bool = False
    security_opt: list[str] | None = None
    storage_opt: dict[str, str] | None = None
    tmpfs: dict[str, str] | None = None
    uts_mode: str = msgspec.field(name="UTSMode", default="")
    userns_mode: str = ""
    shm_size: int = 0
    sysctls: dict[str, str] | None = None
    runtime: str = ""
    isolation: str = ""
    mounts: list[MountRequest] | None = None
    masked_paths: list[str] | None = None
    readonly_paths: list[str] | None = None
    init: bool | None = None


class IpamSettings(_Shape, frozen=True, omit_defaults=True):
    """Addresses asked for on a network."""

    ipv4_address: str = msgspec.field(name="IPv4Address", default="")
    ipv6_address: str = msgspec.field(name="IPv6Address", default="")
    link_local_ips: list[str] | None = msgspec.field(name="LinkLocalIPs", default=None)


class EndpointSettings(_Shape, frozen=True, kw_only=True):
    """One container on one network: what was asked for, and what was given."""

    ipam_config: IpamSettings | None = msgspec.field(name="IPAMConfig", default=None)
    links: list[str] | None = None
    aliases: list[str] | None = None
    mac_address: str = ""
    driver_opts: dict[str, str] | None = None
    gw_priority: int = 0
    network_id: str = msgspec.field(name="NetworkID", default="")
    endpoint_id: str = msgspec.field(name="EndpointID", default="")
    gateway: str = ""
    ip_address: str = msgspec.field(name="IPAddress", default="")
    ip_prefix_len: int = msgspec.field(name="IPPrefixLen", default=0)
    ipv6_gateway: str = msgspec.field(name="IPv6Gateway", default="")
    global_ipv6_address: str = msgspec.field(name="GlobalIPv6Address", default="")
    global_ipv6_prefix_len: int = msgspec.field(name="GlobalIPv6PrefixLen", default=0)
    dns_names: list[str] | None = msgspec.field(name="DNSNames", default=None)


class NetworkingConfig(_Shape, frozen=True):
    """Networks by name."""

    endpoints_config: dict[str, EndpointSettings | None] | None = None


class CreateRequest(ContainerConfig, frozen=True, kw_only=True):
    """The body of a create: the configuration with two more parts."""

    host_config: HostConfig | None = None
    networking_config: NetworkingConfig | None = None


class CreateResponse(_Shape, frozen=True):
    """The answer to a create."""

    id: str
    warnings: list[str]


class UpdateRequest(Resources, frozen=True, kw_only=True):
    """The body of an update; `log_config` is Wherry's own."""

    restart_policy: RestartPolicy | None = None
    log_config: LogConfig | None = None


class MountChanges(_Shape, frozen=True):
    """The body of POST /containers/{id}/mounts, Wherry's own; what goes is named by target."""

    add: list[MountRequest] | None = None
    remove: list[str] | None = None


class PortChanges(_Shape, frozen=True):
    """The body of POST /containers/{id}/ports, Wherry's own; what goes is named as in `80/tcp`."""

    add: dict[str, list[PortBinding] | None] | None = None
    remove: list[str] | None = None


def words(value: list[str] | str | None) -> list[str]:
    """A command as a list; old clients send a string."""
    if value is None:
        return []
    return [value] if isinstance(value, str) else list(value)
