"""What a create refuses, in dockerd's words, before anything is made. Pure."""

import re
import signal
from collections.abc import Iterable

from wherry.base.errors import InvalidParameter, NotSupported
from wherry.engine.containers.restart_policy import COUNTED
from wherry.linux.capability import NUMBERS
from wherry.model.docker.container import ContainerConfig, HostConfig, Resources

MINIMUM_MEMORY = 6 << 20
_LOG_DRIVERS = ("json-file", "local", "none")
_LOG_OPTIONS = {
    "json-file": {"max-size", "max-file", "compress", "labels", "labels-regex", "env",
                  "env-regex", "tag", "mode", "max-buffer-size"},
    "local": {"max-size", "max-file", "compress", "labels", "labels-regex", "env", "env-regex",
              "tag", "mode", "max-buffer-size"},
    "none": {"mode", "max-buffer-size"},
}  # fmt: skip
_RESTART = ("", "no", "always", "unless-stopped", *COUNTED)
_SYSCTL = re.compile(
    r"kernel\.(msgmax|msgmnb|msgmni|sem|shmall|shmmax|shmmni|shm_rmid_forced|domainname)"
    r"|fs\.mqueue\..+|net\..+"
)
TRUE = ("1", "t", "T", "true", "TRUE", "True")
_FALSE = ("0", "f", "F", "false", "FALSE", "False")
_SECURITY: dict[str, tuple[str, ...]] = {
    "seccomp": (), "apparmor": (), "label": (), "no-new-privileges": (*TRUE, *_FALSE),
    "systempaths": ("unconfined",),
}  # fmt: skip
_PORT = re.compile(r"\d+(/(tcp|udp|sctp))?")


def check_create(config: ContainerConfig, host: HostConfig, cpus: int, nodes: int = 1) -> None:
    """Raises InvalidParameter or NotSupported naming the field."""
    if len(config.hostname) > 63:
        raise InvalidParameter(f"invalid hostname format: {config.hostname}")
    for item in config.env or ():
        if not item.partition("=")[0]:
            raise InvalidParameter(f"invalid environment variable: {item}")
    if config.working_dir and not config.working_dir.startswith("/"):
        raise InvalidParameter(
            f"the working directory '{config.working_dir}' is invalid, it needs to be an absolute "
            "path"
        )
    if config.stop_signal:
        parse_signal(config.stop_signal)
    if config.stop_timeout is not None and config.stop_timeout < -1:
        raise InvalidParameter(f"invalid stop timeout: {config.stop_timeout}")
    check_health(config)
    check_resources(host, cpus, nodes)
    _check_modes(config, host)
    _check_security(host)
    check_log(host)
    check_restart(host)
    check_ports((*(host.port_bindings or ()), *(config.exposed_ports or ())))


def check_ports(ports: Iterable[str]) -> None:
    """Ports that cannot be; raises InvalidParameter."""
    for port in ports:
        if not _PORT.fullmatch(port) or not 0 < int(port.partition("/")[0]) < 65536:
            raise InvalidParameter(f"invalid port specification: {port!r}")


def parse_signal(text: str) -> int:
    """The number of a signal by name or number; raises InvalidParameter."""
    if text.isdecimal():
        if 0 < int(text) <= 64:
            return int(text)
        raise InvalidParameter(f"invalid signal: {text}")
    name = text.upper().removeprefix("SIG")
    base, plus, offset = name.partition("+")
    if base in ("RTMIN", "RTMAX") or plus:
        start = 34 if base == "RTMIN" else 64
        return start + int(offset or 0) if not offset or offset.isdecimal() else start
    if name.startswith("RTMAX-"):
        return 64 - int(name.removeprefix("RTMAX-"))
    try:
        return int(signal.Signals[f"SIG{name}"])
    except KeyError:
        raise InvalidParameter(f"invalid signal: {text}") from None


def check_health(config: ContainerConfig) -> None:
    """Durations of a health check are at least one millisecond."""
    health = config.healthcheck
    if health is None:
        return
    fields = (
        ("Interval", health.interval),
        ("Timeout", health.timeout),
        ("StartPeriod", health.start_period),
        ("StartInterval", health.start_interval),
    )
    for name, value in fields:
        if value and value < 1_000_000:
            raise InvalidParameter(f"{name} in Healthcheck cannot be less than 1ms")
    if health.retries < 0:
        raise InvalidParameter("Retries in Healthcheck cannot be negative")


def check_resources(host: Resources, cpus: int, nodes: int = 1) -> None:
    """Limits that cannot be with so many CPUs and memory nodes, in dockerd's words."""
    if 0 < host.memory < MINIMUM_MEMORY:
        raise InvalidParameter("Minimum memory limit allowed is 6MB")
    if host.memory < 0:
        raise InvalidParameter(f"invalid memory limit: {host.memory}")
    if host.memory > 0 and 0 < host.memory_swap < host.memory:
        raise InvalidParameter(
            "Minimum memoryswap limit should be larger than memory limit, see usage"
        )
    if host.memory == 0 and host.memory_swap > 0:
        raise InvalidParameter(
            "You should always set the Memory limit when using Memoryswap limit, see usage"
        )
    if host.memory and host.memory_reservation > host.memory:
        raise InvalidParameter(
            "Minimum memory limit can not be less than memory reservation limit, see usage"
        )
    if 0 < host.memory_reservation < MINIMUM_MEMORY:
        raise InvalidParameter("Minimum memory reservation allowed is 6MB")
    if host.memory_swappiness is not None and not -1 <= host.memory_swappiness <= 100:
        raise InvalidParameter(
            f"Invalid value: {host.memory_swappiness}, valid memory swappiness range is 0-100"
        )
    if host.nano_cpus < 0 or host.nano_cpus > cpus * 10**9:
        raise InvalidParameter(
            f"range of CPUs is from 0.01 to {cpus}.00, as there are only {cpus} CPUs available"
        )
    if host.nano_cpus and (host.cpu_period or host.cpu_quota):
        other = "CPU Period" if host.cpu_period else "CPU Quota"
        raise InvalidParameter(f"Conflicting options: Nano CPUs and {other} cannot both be set.")
    if host.cpu_period and not 1000 <= host.cpu_period <= 1_000_000:
        raise InvalidParameter(
            "CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)"
        )
    if 0 < host.cpu_quota < 1000:
        raise InvalidParameter("CPU cfs quota can not be less than 1ms (i.e. 1000)")
    if host.cpu_shares < 0:
        raise InvalidParameter(
            f"invalid CPU shares ({host.cpu_shares}): value must be a positive integer"
        )
    if host.blkio_weight and not 10 <= host.blkio_weight <= 1000:
        raise InvalidParameter("Range of blkio weight is from 10 to 1000")
    _check_set("cpuset cpus", "CPUs", host.cpuset_cpus, cpus)
    _check_set("cpuset mems", "memory nodes", host.cpuset_mems, nodes)
    runtime, period = host.cpu_realtime_runtime, host.cpu_realtime_period
    if runtime and period and runtime > period:
        raise InvalidParameter("cpu real-time runtime cannot be higher than cpu real-time period")


def _check_set(what: str, things: str, text: str, count: int) -> None:
    if not text:
        return
    for part in text.split(","):
        first, _, last = part.partition("-")
        if not first.isdecimal() or (last and not last.isdecimal()):
            raise InvalidParameter(f"Invalid value {text} for {what}")
        if int(last or first) >= count:
            available = f"0-{count - 1}" if count > 1 else "0"
            raise InvalidParameter(
                f"Requested {things} are not available - requested {text}, available: {available}"
            )


def _check_modes(config: ContainerConfig, host: HostConfig) -> None:
    network = host.network_mode
    if network == "host" and host.links:
        raise InvalidParameter(
            "conflicting options: host type networking can't be used with links. This would "
            "result in undefined behavior"
        )
    if network.startswith("container:"):
        for given, conflict in (
            (config.hostname, "hostname and the network mode"),
            (host.links, "container type network can't be used with links. This would result in "
                         "undefined behavior"),
            (host.dns, "dns and the network mode"),
            (host.extra_hosts, "custom host-to-IP mapping and the network mode"),
            (config.mac_address, "mac-address and the network mode"),
            (host.port_bindings or host.publish_all_ports,
             "port publishing and the container type network mode"),
            (config.exposed_ports, "port exposing and the container type network mode"),
        ):  # fmt: skip
            if given:
                raise InvalidParameter(f"conflicting options: {conflict}")
    if host.uts_mode not in ("", "host"):
        raise InvalidParameter(f"invalid UTS mode: {host.uts_mode}")
    if host.uts_mode == "host" and config.hostname:
        raise InvalidParameter("conflicting options: hostname and the UTS mode")
    if host.pid_mode not in ("", "host", "private") and not host.pid_mode.startswith("container:"):
        raise InvalidParameter(f"invalid PID mode: {host.pid_mode}")
    allowed = ("", "none", "private", "shareable", "host")
    if host.ipc_mode not in allowed and not host.ipc_mode.startswith("container:"):
        raise InvalidParameter(f"invalid IPC mode: {host.ipc_mode}")
    if host.cgroupns_mode not in ("", "private", "host"):
        raise InvalidParameter(f"invalid cgroup namespace mode: {host.cgroupns_mode}")
    if host.userns_mode not in ("", "host", "auto"):
        raise InvalidParameter(f"invalid userns mode: {host.userns_mode}")
    _check_user_namespace(host)
    if host.cgroup:
        raise InvalidParameter(f"invalid cgroup: {host.cgroup}: containers cannot share one")
    if host.storage_opt:
        raise InvalidParameter(
            "--storage-opt is supported only for overlay over xfs with 'pquota' mount option"
        )
    if host.shm_size < 0:
        raise InvalidParameter("SHM size can not be less than 0")
    if host.isolation not in ("", "default"):
        raise InvalidParameter(f'invalid isolation "{host.isolation}" on linux')
    if host.runtime not in ("", "runc", "wherry", "io.containerd.runc.v2"):
        raise InvalidParameter(f"unknown or invalid runtime name: {host.runtime}")
    if not -1000 <= host.oom_score_adj <= 1000:
        raise InvalidParameter(
            f"Invalid value {host.oom_score_adj}, range for oom score adj is [-1000, 1000]"
        )
    if host.device_requests:
        raise NotSupported(
            "could not select device driver "
            f'"{host.device_requests[0].driver}" with capabilities: '
            f"{host.device_requests[0].capabilities or []}".replace("'", "")
        )


def _check_user_namespace(host: HostConfig) -> None:
    """What a user namespace rules out."""
    if host.userns_mode != "auto":
        return
    if host.privileged:
        raise InvalidParameter(
            "privileged mode is incompatible with user namespaces.  You must run the container in "
            "the host namespace when running privileged mode"
        )
    for mode, what in (
        (host.network_mode, "the host's network namespace"),
        (host.pid_mode, "the host PID namespace"),
        (host.ipc_mode, "the host IPC namespace"),
    ):
        if mode == "host":
            raise InvalidParameter(f"cannot share {what} when user namespaces are enabled")


def _check_security(host: HostConfig) -> None:
    for field, names in (("CapAdd", host.cap_add), ("CapDrop", host.cap_drop)):
        for name in map(capability_name, names or ()):
            if name not in NUMBERS and name != "CAP_ALL":
                raise InvalidParameter(f'invalid {field}: unknown capability: "{name}"')
    for option in host.security_opt or ():
        if option == "no-new-privileges":
            continue
        key, *rest = re.split("[=:]", option, maxsplit=1)
        if not rest:
            raise InvalidParameter(f'invalid --security-opt 1: "{option}"')
        if key not in _SECURITY or rest[0] not in (_SECURITY[key] or rest):
            raise InvalidParameter(f'invalid --security-opt 2: "{option}"')
    for key, _ in (host.sysctls or {}).items():
        if not _SYSCTL.fullmatch(key):
            raise InvalidParameter(f"sysctl '{key}' is not whitelisted")
        if key.startswith("net."):
            shared, room = host.network_mode == "host", "network"
        elif key == "kernel.domainname":
            shared, room = host.uts_mode == "host", "UTS"
        else:
            shared, room = host.ipc_mode == "host", "IPC"
        if shared:  # it would be the host's own setting
            raise InvalidParameter(f"sysctl '{key}' not allowed in host {room} namespace")


def capability_name(name: str) -> str:
    """The kernel's name of a capability as users write it."""
    upper = name.upper()
    return upper if upper.startswith("CAP_") else f"CAP_{upper}"


def check_log(host: HostConfig) -> None:
    """Log drivers and options that do not exist."""
    driver = host.log_config.type
    if driver and driver not in _LOG_DRIVERS:
        raise InvalidParameter(
            f'error looking up logging plugin {driver}: plugin "{driver}" not found'
        )
    options = host.log_config.config or {}
    for key in options:
        if key not in _LOG_OPTIONS[driver or "json-file"]:
            raise InvalidParameter(
                f"unknown log opt '{key}' for {driver or 'json-file'} log driver"
            )
    mode = options.get("mode", "")
    if mode not in ("", "blocking", "non-blocking"):
        raise InvalidParameter(f"logger: logging mode not supported: {mode}")
    if "max-buffer-size" in options and mode != "non-blocking":
        raise InvalidParameter(
            "logger: max-buffer-size option is only supported with 'mode=non-blocking'"
        )


def check_restart(host: HostConfig) -> None:
    """Restart policies that cannot be."""
    policy = host.restart_policy
    if policy.name not in _RESTART:
        raise InvalidParameter(
            f"invalid restart policy: unknown policy '{policy.name}'; use one of 'no', 'always', "
            "'on-failure', or 'unless-stopped'"
        )
    if policy.maximum_retry_count and policy.name not in COUNTED:
        raise InvalidParameter(
            "invalid restart policy: maximum retry count can only be used with 'on-failure'"
        )
    if policy.maximum_retry_count < 0:
        raise InvalidParameter("invalid restart policy: maximum retry count cannot be negative")
    if host.auto_remove and policy.name not in ("", "no"):
        raise InvalidParameter("can't create 'AutoRemove' container with restart policy")
