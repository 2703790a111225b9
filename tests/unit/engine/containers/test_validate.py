"""What a create refuses, in dockerd's words: one row for each."""

import pytest

from wherry.base.errors import InvalidParameter, NotSupported
from wherry.engine.containers.mounts import parse_bind, parse_mount, parse_tmpfs
from wherry.engine.containers.names import check_name, random_name
from wherry.engine.containers.validate import check_create, parse_signal
from wherry.model.docker.container import (
    ContainerConfig,
    HostConfig,
    LogConfig,
    MountRequest,
    RestartPolicy,
)
from wherry.model.image_config import HealthConfig

MIB = 1 << 20

REFUSED_HOST: list[tuple[HostConfig, str]] = [
    (HostConfig(memory=MIB), "Minimum memory limit allowed is 6MB"),
    (HostConfig(memory=64 * MIB, memory_swap=32 * MIB), "Minimum memoryswap limit should be"),
    (HostConfig(memory_swap=64 * MIB), "You should always set the Memory limit"),
    (HostConfig(memory=8 * MIB, memory_reservation=9 * MIB), "can not be less than memory reserv"),
    (HostConfig(memory_reservation=MIB), "Minimum memory reservation allowed is 6MB"),
    (HostConfig(memory_swappiness=101), "valid memory swappiness range is 0-100"),
    (HostConfig(nano_cpus=3 * 10**9), "range of CPUs is from 0.01 to 2.00, as there are only 2"),
    (HostConfig(nano_cpus=10**9, cpu_period=10**5), "Nano CPUs and CPU Period cannot both be set"),
    (HostConfig(nano_cpus=10**9, cpu_quota=10**5), "Nano CPUs and CPU Quota cannot both be set"),
    (HostConfig(cpu_period=10), "CPU cfs period can not be less than 1ms"),
    (HostConfig(cpu_quota=10), "CPU cfs quota can not be less than 1ms"),
    (HostConfig(cpu_shares=-1), r"invalid CPU shares \(-1\)"),
    (HostConfig(cpuset_cpus="0-9"), "Requested CPUs are not available - requested 0-9, available"),
    (HostConfig(cpuset_cpus="a"), "Invalid value a for cpuset cpus"),
    (HostConfig(blkio_weight=5), "Range of blkio weight is from 10 to 1000"),
    (HostConfig(oom_score_adj=2000), r"range for oom score adj is \[-1000, 1000\]"),
    (HostConfig(shm_size=-1), "SHM size can not be less than 0"),
    (HostConfig(network_mode="host", links=["a:b"]), "host type networking can't be used with"),
    (HostConfig(network_mode="container:x", dns=["1.1.1.1"]), "dns and the network mode"),
    (HostConfig(network_mode="container:x", extra_hosts=["a:1"]), "custom host-to-IP mapping and"),
    (HostConfig(network_mode="container:x", port_bindings={"80/tcp": None}), "port publishing and"),
    (HostConfig(uts_mode="private"), "invalid UTS mode"),
    (HostConfig(storage_opt={"size": "1G"}), "--storage-opt is supported only for overlay over"),
    (HostConfig(pid_mode="odd"), "invalid PID mode"),
    (HostConfig(ipc_mode="odd"), "invalid IPC mode"),
    (HostConfig(cgroupns_mode="odd"), "invalid cgroup namespace mode"),
    (HostConfig(isolation="hyperv"), "isolation"),
    (HostConfig(runtime="kata"), "unknown or invalid runtime name: kata"),
    (HostConfig(cap_add=["FLY"]), "FLY"),
    (HostConfig(security_opt=["odd=1"]), "invalid --security-opt 2"),
    (HostConfig(security_opt=["odd"]), "invalid --security-opt 1"),
    (HostConfig(security_opt=["no-new-privileges=odd"]), "invalid --security-opt 2"),
    (HostConfig(security_opt=["systempaths=odd"]), "invalid --security-opt 2"),
    (HostConfig(sysctls={"vm.swappiness": "1"}), "vm.swappiness"),
    (HostConfig(network_mode="host", sysctls={"net.core.somaxconn": "1"}), "host network"),
    (HostConfig(ipc_mode="host", sysctls={"kernel.shmmax": "1"}), "not allowed in host IPC"),
    (HostConfig(ipc_mode="host", sysctls={"fs.mqueue.msg_max": "1"}), "mqueue.msg_max' not allow"),
    (HostConfig(uts_mode="host", sysctls={"kernel.domainname": "x"}), "not allowed in host UTS"),
    (HostConfig(cpuset_mems="99"), "memory nodes are not available - requested 99, available: 0"),
    (HostConfig(log_config=LogConfig("local", {"mode": "odd"})), "mode not supported: odd"),
    (HostConfig(log_config=LogConfig("json-file", {"max-buffer-size": "1m"})), "max-buffer-size"),
    (
        HostConfig(log_config=LogConfig("syslog")),
        'logging plugin syslog: plugin "syslog" not found',
    ),
    (HostConfig(log_config=LogConfig("json-file", {"odd": "1"})), "unknown log opt 'odd'"),
    (HostConfig(restart_policy=RestartPolicy("odd")), "unknown policy 'odd'"),
    (HostConfig(restart_policy=RestartPolicy("always", 3)), "maximum retry count"),
    (HostConfig(restart_policy=RestartPolicy("on-failure", -1)), "cannot be negative"),
    (HostConfig(auto_remove=True, restart_policy=RestartPolicy("always")), "AutoRemove"),
    (HostConfig(port_bindings={"99999/tcp": None}), "invalid port"),
]


@pytest.mark.parametrize(("host", "text"), REFUSED_HOST, ids=[text for _, text in REFUSED_HOST])
def test_a_host_configuration_that_cannot_be_is_refused_by_name(
    host: HostConfig, text: str
) -> None:
    with pytest.raises((InvalidParameter, NotSupported), match=text):
        check_create(ContainerConfig(cmd=["x"]), host, 2)


REFUSED_CONFIG: list[tuple[ContainerConfig, str]] = [
    (ContainerConfig(hostname="x" * 64), "invalid hostname format"),
    (ContainerConfig(env=["=x"]), "invalid environment variable: =x"),
    (ContainerConfig(working_dir="srv"), "the working directory 'srv' is invalid"),
    (ContainerConfig(stop_signal="SIGODD"), "invalid signal: SIGODD"),
    (ContainerConfig(healthcheck=HealthConfig(interval=10)), "Interval in Healthcheck cannot be"),
    (ContainerConfig(healthcheck=HealthConfig(retries=-1)), "Retries in Healthcheck cannot be neg"),
]


@pytest.mark.parametrize(("config", "text"), REFUSED_CONFIG, ids=[t for _, t in REFUSED_CONFIG])
def test_a_configuration_that_cannot_be_is_refused_by_name(
    config: ContainerConfig, text: str
) -> None:
    with pytest.raises(InvalidParameter, match=text):
        check_create(config, HostConfig(), 2)


def test_a_plain_container_is_accepted() -> None:
    check_create(ContainerConfig(cmd=["x"]), HostConfig(), 2)


@pytest.mark.parametrize(
    ("text", "number"),
    [("9", 9), ("KILL", 9), ("sigterm", 15), ("RTMIN", 34), ("RTMIN+3", 37), ("RTMAX-1", 63)],
)
def test_signals_have_names_and_numbers(text: str, number: int) -> None:
    assert parse_signal(text) == number


@pytest.mark.parametrize("name", ["a", "-ab", "a b", "a/b", ""])
def test_a_name_outside_dockers_alphabet_is_refused(name: str) -> None:
    with pytest.raises(InvalidParameter, match="Invalid container name"):
        check_name(name)


def test_a_random_name_is_a_valid_one() -> None:
    name = random_name()
    assert check_name(name) == name


BINDS: list[tuple[str, dict[str, object]]] = [
    ("/host:/in", {"type": "bind", "source": "/host", "target": "/in", "read_write": True}),
    ("/host:/in:ro", {"type": "bind", "read_write": False}),
    ("/host:/in:rslave", {"type": "bind", "propagation": "rslave"}),
    ("data:/in", {"type": "volume", "volume": "data", "copy_up": True}),
    ("data:/in:nocopy", {"type": "volume", "copy_up": False}),
    ("/in", {"type": "volume", "volume": "", "target": "/in"}),
]


@pytest.mark.parametrize(("text", "expected"), BINDS, ids=[text for text, _ in BINDS])
def test_a_bind_word_is_a_path_or_a_volume(text: str, expected: dict[str, object]) -> None:
    point = parse_bind(text)
    assert {key: getattr(point, key) for key in expected} == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a:b:c:d", "invalid volume specification"),
        ("/host:in", "mount path must be absolute"),
        ("/host:/in:odd", "invalid mode: odd"),
        ("/host:/", "destination can't be '/'"),
        ("../x:/in", "includes invalid characters for a local volume name"),
    ],
)
def test_a_bad_bind_word_is_refused(text: str, message: str) -> None:
    with pytest.raises(InvalidParameter, match=message):
        parse_bind(text)


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (MountRequest("bind", "/no/such/path", "/in"), "bind source path does not exist: /no/such"),
        (MountRequest("bind", "", "/in"), "field Source must not be empty"),
        (MountRequest("bind", "/", ""), "field Target must not be empty"),
        (MountRequest("tmpfs", "/x", "/in"), "field Source must not be specified"),
        (MountRequest("odd", "", "/in"), "mount type unknown"),
    ],
)
def test_a_bad_mount_is_refused(request_: MountRequest, message: str) -> None:
    with pytest.raises(InvalidParameter, match=message):
        parse_mount(request_)


def test_a_tmpfs_is_guarded_unless_told_otherwise() -> None:
    assert parse_tmpfs("/run", "").options == ("noexec", "nosuid", "nodev")
    assert parse_tmpfs("/run", "exec,size=1m").options == ("nosuid", "nodev", "exec", "size=1m")


@pytest.mark.parametrize(
    ("target", "message"),
    [("run", "mount path must be absolute"), ("/", "destination can't be '/'")],
)
def test_a_tmpfs_has_an_absolute_place_of_its_own(target: str, message: str) -> None:
    with pytest.raises(InvalidParameter, match=message):
        parse_tmpfs(target, "")
