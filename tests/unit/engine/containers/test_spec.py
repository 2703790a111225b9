"""Every field of HostConfig: where the runtime's specification shows it, or who else reads it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from wherry.base.errors import InvalidParameter
from wherry.engine.containers.container import MountPoint, Record
from wherry.engine.containers.defaults import ContainerDefaults
from wherry.engine.containers.spec import build_spec
from wherry.linux.cgroup.layout import CgroupLayout
from wherry.model import runtime_spec as oci
from wherry.model.docker.container import (
    ContainerConfig,
    DeviceMapping,
    HostConfig,
    ThrottleDevice,
    Ulimit,
    WeightDevice,
)

DEFAULTS = ContainerDefaults(
    data_root=Path("/data"), exec_root=Path("/run"), layout=CgroupLayout(2, "/sys/fs/cgroup"),
    cgroup_parent="/wherry", cpus=2, architecture="amd64",
    ulimits=(("nofile", 1024, 2048),),
)  # fmt: skip


def spec_of(
    host: HostConfig | None = None, config: ContainerConfig | None = None,
    mounts: tuple[MountPoint, ...] = (), **options: Any,
) -> oci.RuntimeSpec:  # fmt: skip
    record = Record(
        id="a" * 64, name="one", created="", image_id="", image="",
        config=config or ContainerConfig(hostname="box"), host=host or HostConfig(),
        path="sh", args=("-c", "true"), mounts=mounts,
    )  # fmt: skip
    given: dict[str, Any] = {"files": {}, "namespaces": {}, "sources": {}, **options}
    return build_spec(record, DEFAULTS, **given)


def limits(spec: oci.RuntimeSpec) -> oci.LinuxResources:
    assert spec.linux.resources is not None
    return spec.linux.resources


def mount_at(spec: oci.RuntimeSpec, target: str) -> oci.SpecMount:
    return next(item for item in spec.mounts if item.destination == target)


def kinds(spec: oci.RuntimeSpec) -> set[str]:
    return {item.type for item in spec.linux.namespaces}


def bounding(spec: oci.RuntimeSpec) -> tuple[str, ...]:
    assert spec.process.capabilities is not None
    return spec.process.capabilities.bounding


NULL = [ThrottleDevice("/dev/null", 7)]

Seen = Callable[[oci.RuntimeSpec], Any]

IN_SPEC: dict[str, tuple[Any, Seen, Any]] = {
    "annotations": ({"a": "1"}, lambda s: s.annotations, {"a": "1"}),
    "blkio_weight": (500, lambda s: limits(s).block_io.weight, 500),
    "blkio_weight_device": ([WeightDevice("/dev/null", 9)],
                            lambda s: limits(s).block_io.weight_device[0].weight, 9),
    "blkio_device_read_bps": (
        NULL, lambda s: limits(s).block_io.throttle_read_bps_device[0].rate, 7),
    "blkio_device_write_bps": (
        NULL, lambda s: limits(s).block_io.throttle_write_bps_device[0].rate, 7),
    "blkio_device_read_iops": (
        NULL, lambda s: limits(s).block_io.throttle_read_iops_device[0].rate, 7),
    "blkio_device_write_iops": (
        NULL, lambda s: limits(s).block_io.throttle_write_iops_device[0].rate, 7),
    "cap_add": (["net_admin"], lambda s: "CAP_NET_ADMIN" in bounding(s), True),
    "cap_drop": (["ALL"], bounding, ()),
    "cgroupns_mode": ("host", lambda s: "cgroup" in kinds(s), False),
    "console_size": ([24, 80], lambda s: s.process.console_size, oci.ConsoleSize(24, 80)),
    "cpu_period": (50000, lambda s: limits(s).cpu.period, 50000),
    "cpu_quota": (25000, lambda s: limits(s).cpu.quota, 25000),
    "cpu_realtime_period": (1000, lambda s: limits(s).cpu.realtime_period, 1000),
    "cpu_realtime_runtime": (500, lambda s: limits(s).cpu.realtime_runtime, 500),
    "cpu_shares": (512, lambda s: limits(s).cpu.shares, 512),
    "cpuset_cpus": ("0-1", lambda s: limits(s).cpu.cpus, "0-1"),
    "cpuset_mems": ("0", lambda s: limits(s).cpu.mems, "0"),
    "device_cgroup_rules": (["c 10:* rw"], lambda s: limits(s).devices[0],
                            oci.DeviceRule(True, "c", 10, None, "rw")),
    "devices": ([DeviceMapping("/dev/null", "/dev/x", "r")],
                lambda s: (s.linux.devices[0].path, limits(s).devices[0].access), ("/dev/x", "r")),
    "ipc_mode": ("host", lambda s: ("ipc" in kinds(s), mount_at(s, "/dev/shm").type),
                 (False, "bind")),
    "masked_paths": (["/proc/x"], lambda s: s.linux.masked_paths, ("/proc/x",)),
    "memory": (64 << 20, lambda s: limits(s).memory.limit, 64 << 20),
    "memory_reservation": (32 << 20, lambda s: limits(s).memory.reservation, 32 << 20),
    "memory_swap": (-1, lambda s: limits(s).memory.swap, -1),
    "memory_swappiness": (0, lambda s: limits(s).memory.swappiness, 0),
    "nano_cpus": (1_500_000_000, lambda s: (limits(s).cpu.quota, limits(s).cpu.period),
                  (150_000, 100_000)),
    "network_mode": ("host", lambda s: "network" in kinds(s), False),
    "oom_kill_disable": (True, lambda s: limits(s).memory.disable_oom_killer, True),
    "oom_score_adj": (500, lambda s: s.process.oom_score_adj, 500),
    "pid_mode": ("host", lambda s: "pid" in kinds(s), False),
    "pids_limit": (100, lambda s: limits(s).pids.limit, 100),
    "privileged": (True, lambda s: (s.linux.seccomp, s.linux.masked_paths, "CAP_SYS_ADMIN"
                                    in bounding(s), "ro" in mount_at(s, "/sys").options),
                   (None, (), True, False)),
    "readonly_paths": (["/proc/y"], lambda s: s.linux.readonly_paths, ("/proc/y",)),
    "readonly_rootfs": (True, lambda s: s.root.readonly, True),
    "security_opt": (["no-new-privileges", "seccomp=unconfined", "systempaths=unconfined"],
                     lambda s: (s.process.no_new_privileges, s.linux.seccomp,
                                s.linux.masked_paths), (True, None, ())),
    "shm_size": (1 << 20, lambda s: "size=1048576" in mount_at(s, "/dev/shm").options, True),
    "sysctls": ({"net.core.somaxconn": "9"}, lambda s: s.linux.sysctl, {"net.core.somaxconn": "9"}),
    "ulimits": ([Ulimit("core", 1, 2)], lambda s: s.process.rlimits[-1],
                oci.Rlimit("RLIMIT_CORE", 2, 1)),
    "uts_mode": ("host", lambda s: ("uts" in kinds(s), s.hostname), (False, "")),
}  # fmt: skip
"""A value, where it is seen in the specification, and what is seen there."""

ELSEWHERE: dict[str, str] = {
    "auto_remove": "the exit watcher removes the container",
    "binds": "settled into mount points at creation",
    "cgroup": "accepted and shown, as dockerd does on Linux",
    "cgroup_parent": "the control group's path in the plan's context",
    "container_id_file": "the client's own file; shown",
    "cpu_count": "Windows only; accepted and shown",
    "cpu_percent": "Windows only; accepted and shown",
    "device_requests": "refused at creation: there is no device driver",
    "dns": "resolv.conf",
    "dns_options": "resolv.conf",
    "dns_search": "resolv.conf",
    "extra_hosts": "/etc/hosts",
    "group_add": "the plan's context: names are looked up inside",
    "init": "the plan's context",
    "io_maximum_bandwidth": "Windows only; accepted and shown",
    "io_maximum_iops": "Windows only; accepted and shown",
    "isolation": "Windows only; refused unless default",
    "kernel_memory_tcp": "accepted and shown: current kernels have no such limit",
    "links": "/etc/hosts",
    "log_config": "the log's settings in the start request",
    "mounts": "settled into mount points at creation",
    "port_bindings": "the network's part of a start",
    "publish_all_ports": "the network's part of a start",
    "restart_policy": "the exit watcher starts the container again",
    "runtime": "checked at creation: there is one",
    "storage_opt": "refused at creation",
    "tmpfs": "settled into mount points at creation",
    "userns_mode": "checked at creation",
    "volume_driver": "the driver of volumes made at creation",
    "volumes_from": "settled into mount points at creation",
}
"""Fields that are not in the specification, and who acts on them."""


def test_every_field_of_the_host_configuration_is_accounted_for() -> None:
    fields = set(HostConfig.__struct_fields__)
    assert set(IN_SPEC) | set(ELSEWHERE) == fields
    assert not set(IN_SPEC) & set(ELSEWHERE)


@pytest.mark.parametrize("field", sorted(IN_SPEC))
def test_a_field_is_seen_in_the_specification(field: str) -> None:
    value, seen, expected = IN_SPEC[field]
    assert seen(spec_of(HostConfig(**{field: value}))) == expected
    assert seen_or_absent(seen, spec_of()) != expected, "the default would pass as well"


def seen_or_absent(seen: Seen, spec: oci.RuntimeSpec) -> Any:
    try:
        return seen(spec)
    except (IndexError, AttributeError):
        return None


def test_a_plain_container_is_confined_as_dockers() -> None:
    spec = spec_of()
    assert kinds(spec) == {"mount", "network", "ipc", "uts", "pid", "cgroup"}
    assert len(bounding(spec)) == 14
    assert "/proc/kcore" in spec.linux.masked_paths
    assert "/proc/sys" in spec.linux.readonly_paths
    assert spec.linux.seccomp is not None
    assert [item.destination for item in spec.mounts[:6]] == [
        "/proc", "/dev", "/dev/pts", "/sys", "/sys/fs/cgroup", "/dev/mqueue",
    ]  # fmt: skip
    assert "ro" in mount_at(spec, "/sys").options


def test_the_environment_has_path_hostname_and_term_unless_given() -> None:
    plain = spec_of(config=ContainerConfig(hostname="box", tty=True, env=["A=1"]))
    assert plain.process.env[1:] == ("HOSTNAME=box", "TERM=xterm", "A=1")
    assert plain.process.env[0].startswith("PATH=/usr/local/sbin")
    given = spec_of(config=ContainerConfig(hostname="box", env=["PATH=/own", "HOSTNAME=other"]))
    assert given.process.env == ("PATH=/own", "HOSTNAME=other")


def test_all_capabilities_but_one() -> None:
    spec = spec_of(HostConfig(cap_add=["ALL"], cap_drop=["CAP_SYS_ADMIN"]))
    assert "CAP_SYS_ADMIN" not in bounding(spec)
    assert "CAP_NET_ADMIN" in bounding(spec)


def test_only_one_capability() -> None:
    spec = spec_of(HostConfig(cap_add=["CHOWN"], cap_drop=["ALL"]))
    assert bounding(spec) == ("CAP_CHOWN",)


def test_the_daemons_limits_hold_unless_the_container_has_its_own() -> None:
    assert spec_of().process.rlimits == (oci.Rlimit("RLIMIT_NOFILE", 2048, 1024),)
    own = spec_of(HostConfig(ulimits=[Ulimit("nofile", 10, 20)]))
    assert own.process.rlimits == (oci.Rlimit("RLIMIT_NOFILE", 20, 10),)


def test_joined_namespaces_have_paths() -> None:
    host = HostConfig(network_mode="container:x")
    spec = spec_of(host, namespaces={"network": "/proc/7/ns/net"})
    assert oci.Namespace("network", "/proc/7/ns/net") in spec.linux.namespaces


def test_shared_memory_of_another_container_is_bound() -> None:
    spec = spec_of(HostConfig(ipc_mode="container:x"), shm="/run/containers/x/shm")
    assert mount_at(spec, "/dev/shm").source == "/run/containers/x/shm"


def test_an_own_mount_at_dev_shm_replaces_the_engines() -> None:
    point = MountPoint("bind", "/dev/shm", "/host/shm")
    found = [m for m in spec_of(mounts=(point,)).mounts if m.destination == "/dev/shm"]
    assert [item.source for item in found] == ["/host/shm"]


def test_mounts_keep_their_access_and_propagation() -> None:
    points = (
        MountPoint("bind", "/a", "/host", read_write=False, propagation="rslave"),
        MountPoint("volume", "/v", volume="data", subpath="sub"),
        MountPoint("tmpfs", "/t", options=("size=1m",)),
    )
    spec = spec_of(mounts=points, sources={"data": "/volumes/data/_data"})
    assert mount_at(spec, "/a").options == ("rbind", "rslave", "ro")
    assert mount_at(spec, "/v").source == "/volumes/data/_data"
    assert mount_at(spec, "/v").subpath == "sub"
    assert mount_at(spec, "/t").options == ("size=1m",)
    assert spec.linux.rootfs_propagation == "rslave"


def test_the_engines_files_give_way_to_the_users_mounts() -> None:
    files = {"/etc/hosts": "/c/hosts", "/etc/hostname": "/c/hostname"}
    spec = spec_of(mounts=(MountPoint("bind", "/etc/hosts", "/own"),), files=files)
    assert mount_at(spec, "/etc/hosts").source == "/own"
    assert mount_at(spec, "/etc/hostname").source == "/c/hostname"


@pytest.mark.parametrize(
    ("host", "message"),
    [
        (HostConfig(devices=[DeviceMapping("/dev/nosuch", "/dev/x")]), "no such file or directory"),
        (HostConfig(devices=[DeviceMapping("/etc/passwd", "/dev/x")]), "not a device node"),
        (HostConfig(device_cgroup_rules=["odd"]), "invalid device cgroup rule format: 'odd'"),
        (HostConfig(security_opt=["seccomp={"]), "Decoding seccomp profile failed"),
    ],
)
def test_what_the_host_lacks_is_named(host: HostConfig, message: str) -> None:
    with pytest.raises(InvalidParameter, match=message):
        spec_of(host)
