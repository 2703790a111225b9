"""The body of POST /containers/create, field by field as docker sends it."""

from __future__ import annotations

from wherry.cli import env_files
from wherry.cli.creation.mounts import parse_mount, split_volumes, tmpfs_options
from wherry.cli.errors import CliError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from wherry.cli.options import Options

_USER_NAMESPACES = ("", "host", "auto")
_CGROUP_NAMESPACES = ("", "host", "private")
_UTS_MODES = ("", "host")
_HEALTH_TIMES = ("interval", "timeout", "start-period", "start-interval")


def _check_modes(options: Options) -> None:
    pid = options.text("pid")
    if pid not in ("", "host") and not (pid.startswith("container:") and len(pid) > 10):
        raise CliError("--pid: invalid PID mode")
    if options.text("uts") not in _UTS_MODES:
        raise CliError("--uts: invalid UTS mode")
    if options.text("userns") not in _USER_NAMESPACES:
        raise CliError("--userns: invalid USER mode")
    if options.text("cgroupns") not in _CGROUP_NAMESPACES:
        raise CliError("--cgroupns: invalid CGROUP mode")


def _check_numbers(options: Options) -> None:
    if options.text("mac-address"):
        from wherry.cli.creation.networks import check_mac

        check_mac(options.text("mac-address"))
    swappiness = options.number("memory-swappiness")
    if not -1 <= swappiness <= 100:
        raise CliError(f"invalid value: {swappiness}. Valid memory swappiness range is 0-100")


def parse_restart(text: str) -> dict[str, Any]:
    """`on-failure:3` as a RestartPolicy."""
    name, colon, count = text.partition(":")
    if colon and not name:
        raise CliError("invalid restart policy format: no policy provided before colon")
    try:
        times = int(count) if count else 0
    except ValueError:
        raise CliError(
            "invalid restart policy format: maximum retry count must be an integer"
        ) from None
    return {"Name": name, "MaximumRetryCount": times}


def _health(options: Options) -> dict[str, Any] | None:
    times = {name: options.number(f"health-{name}") for name in _HEALTH_TIMES}
    command, retries = options.text("health-cmd"), options.number("health-retries")
    given = bool(command or retries or any(times.values()))
    if options.flag("no-healthcheck"):
        if given:
            raise CliError("--no-healthcheck conflicts with --health-* options")
        return {"Test": ["NONE"]}
    if not given:
        return None
    for name in ("interval", "timeout"):
        if times[name] < 0:
            raise CliError(f"--health-{name} cannot be negative")
    if retries < 0:
        raise CliError("--health-retries cannot be negative")
    for name in ("start-period", "start-interval"):
        if times[name] < 0:
            raise CliError(f"--health-{name} cannot be negative")
    health: dict[str, Any] = {}
    if command:
        health["Test"] = ["CMD-SHELL", command]
    names = {
        "interval": "Interval",
        "timeout": "Timeout",
        "start-period": "StartPeriod",
        "start-interval": "StartInterval",
    }
    health |= {names[name]: time for name, time in times.items() if time}
    if retries:
        health["Retries"] = retries
    return health


def _security(values: list[str]) -> tuple[list[str], bool]:
    """SecurityOpt, and whether the system paths are left open."""
    kept = []
    for value in values:
        key, separator, setting = value.partition("=")
        if not separator and key != "no-new-privileges":
            key, separator, setting = value.partition(":")
        if (not separator or not setting) and key != "no-new-privileges":
            raise CliError(f'Invalid --security-opt: "{value}"')
        if key == "seccomp" and setting not in ("unconfined", "builtin"):
            value = f"seccomp={_seccomp_profile(setting)}"
        kept.append(value)
    open_paths = "systempaths=unconfined" in kept
    return [value for value in kept if value != "systempaths=unconfined"], open_paths


def _seccomp_profile(path: str) -> str:
    from wherry.client.errors import ClientError
    from wherry.client.json_text import dumps, loads

    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        reason = (error.strerror or "").lower()
        raise CliError(f"opening seccomp profile ({path}) failed: open {path}: {reason}") from error
    try:
        return dumps(loads(data))
    except ClientError as error:
        raise CliError(
            f"compacting json for seccomp profile ({path}) failed: it is no whole JSON"
        ) from error


def _logging(options: Options) -> dict[str, Any]:
    driver, settings = options.text("log-driver"), options.items("log-opt")
    if driver == "none" and settings:
        raise CliError("invalid logging opts for driver none")
    return {"Type": driver, "Config": options.pairs("log-opt")}


def _storage(values: list[str]) -> dict[str, str] | None:
    if any("=" not in value for value in values):
        raise CliError("invalid storage option")
    return dict(value.partition("=")[::2] for value in values) or None


def _attached(options: Options) -> tuple[bool, bool, bool]:
    streams = options.items("attach")
    stdin = "stdin" in streams or options.flag("interactive")
    if not streams:
        return stdin, True, True
    return stdin, "stdout" in streams, "stderr" in streams


def _resources(options: Options) -> dict[str, Any]:
    body: dict[str, Any] = {
        "CpuShares": options.number("cpu-shares"),
        "Memory": options.number("memory"),
        "NanoCpus": options.number("cpus"),
        "CgroupParent": options.text("cgroup-parent"),
        "BlkioWeight": options.number("blkio-weight"),
        "BlkioWeightDevice": [],
        "BlkioDeviceReadBps": [],
        "BlkioDeviceWriteBps": [],
        "BlkioDeviceReadIOps": [],
        "BlkioDeviceWriteIOps": [],
        "CpuPeriod": options.number("cpu-period"),
        "CpuQuota": options.number("cpu-quota"),
        "CpuRealtimePeriod": options.number("cpu-rt-period"),
        "CpuRealtimeRuntime": options.number("cpu-rt-runtime"),
        "CpusetCpus": options.text("cpuset-cpus"),
        "CpusetMems": options.text("cpuset-mems"),
        "Devices": [],
        "DeviceCgroupRules": options.items("device-cgroup-rule") or None,
        "DeviceRequests": None,
        "MemoryReservation": options.number("memory-reservation"),
        "MemorySwap": options.number("memory-swap"),
        "MemorySwappiness": options.number("memory-swappiness"),
        "OomKillDisable": options.flag("oom-kill-disable"),
        "PidsLimit": options.number("pids-limit"),
        "Ulimits": [],
        "CpuCount": options.number("cpu-count"),
        "CpuPercent": options.number("cpu-percent"),
        "IOMaximumIOps": options.number("io-maxiops"),
        "IOMaximumBandwidth": options.number("io-maxbandwidth"),
    }
    _device_resources(options, body)
    return body


def _device_resources(options: Options, body: dict[str, Any]) -> None:
    if options.items("ulimit"):
        from wherry.cli.validators import parse_ulimit

        limits = {limit["Name"]: limit for limit in map(parse_ulimit, options.items("ulimit"))}
        body["Ulimits"] = [limits[name] for name in sorted(limits, key=str)]
    if options.items("device") or options.items("gpus"):
        from wherry.cli.creation.devices import device_settings

        body["Devices"], body["DeviceRequests"] = device_settings(
            options.items("device"), options.items("gpus")
        )
    if options.items("blkio-weight-device"):
        from wherry.cli.creation.devices import weights

        body["BlkioWeightDevice"] = weights(options.items("blkio-weight-device"))
    for name, field in (("read-bps", "ReadBps"), ("write-bps", "WriteBps")):
        if values := options.items(f"device-{name}"):
            from wherry.cli.creation.devices import byte_rates

            body[f"BlkioDevice{field}"] = byte_rates(values)
    for name, field in (("read-iops", "ReadIOps"), ("write-iops", "WriteIOps")):
        if values := options.items(f"device-{name}"):
            from wherry.cli.creation.devices import operation_rates

            body[f"BlkioDevice{field}"] = operation_rates(values)


def _networks(options: Options) -> tuple[str, dict[str, dict[str, Any]]]:
    plain = not any(
        options.changed(name)
        for name in ("network", "network-alias", "ip", "ip6", "link-local-ip", "mac-address")
    )
    if plain:
        return "default", {"default": {}}
    from wherry.cli.creation.networks import network_settings

    return network_settings(options)


def _capabilities(options: Options) -> tuple[list[str] | None, list[str] | None]:
    """(CapAdd, CapDrop) in normal form; what is added is not dropped, and ALL trumps the rest."""
    found = []
    for option in ("cap-add", "cap-drop"):
        names = set()
        for text in options.items(option):
            name = text.strip().upper()
            plain = name in ("ALL", "RESET") or name.startswith("CAP_")
            names.add(name if plain else f"CAP_{name}")
        found.append({"ALL"} if "ALL" in names else names - {"RESET"})
    added, dropped = found
    return sorted(added) or None, sorted(dropped - added) or None


def _ports(options: Options) -> tuple[dict[str, Any], dict[str, Any]]:
    if not options.changed("publish") and not options.changed("expose"):
        return {}, {}
    from wherry.cli.creation.ports import port_settings

    return port_settings(options.items("publish"), options.items("expose"))


def _env_files(options: Options) -> tuple[list[str], dict[str, str]]:
    return (
        env_files.environment(options.items("env-file"), options.items("env")),
        env_files.labels(options.items("label-file"), options.items("label")),
    )


def _config(options: Options, image: str, command: list[str]) -> dict[str, Any]:
    """The part of the body that is the container's Config."""
    stdin, stdout, stderr = _attached(options)
    interactive = options.flag("interactive")
    variables, labels = _env_files(options)
    config: dict[str, Any] = {
        "Hostname": options.text("hostname"),
        "Domainname": options.text("domainname"),
        "User": options.text("user"),
        "AttachStdin": stdin,
        "AttachStdout": stdout,
        "AttachStderr": stderr,
        "Tty": options.flag("tty"),
        "OpenStdin": interactive,
        "StdinOnce": interactive and stdin,
        "Env": variables or None,
        "Cmd": command or None,
        "Image": image,
        "WorkingDir": options.text("workdir"),
        "Entrypoint": [options.text("entrypoint")] if options.changed("entrypoint") else None,
        "Labels": labels,
    }
    if options.text("stop-signal"):
        config["StopSignal"] = options.text("stop-signal")
    if options.changed("stop-timeout"):
        config["StopTimeout"] = options.number("stop-timeout")
    if health := _health(options):
        config["Healthcheck"] = health
    return config


def create_body(
    options: Options, image: str, command: list[str], proxies: list[str] | None = None
) -> dict[str, Any]:
    """Everything the options say; raises CliError with docker's words."""
    _check_numbers(options)
    config = _config(options, image, command)
    if proxies:
        config["Env"] = env_files.environment(options.items("env-file"), proxies)
    binds, anonymous = split_volumes(options.items("volume"))
    bindings, exposed = _ports(options)
    _check_modes(options)
    restart = parse_restart(options.text("restart"))
    security, open_paths = _security(options.items("security-opt"))
    mode, endpoints = _networks(options)
    if options.flag("rm") and restart["Name"] not in ("no", ""):
        raise CliError("conflicting options: cannot specify both --restart and --rm")
    config["Volumes"] = anonymous
    config["ExposedPorts"] = exposed
    added, dropped = _capabilities(options)
    host: dict[str, Any] = {
        "Binds": binds or None,
        "ContainerIDFile": options.text("cidfile"),
        "LogConfig": _logging(options),
        "NetworkMode": mode,
        "PortBindings": bindings,
        "RestartPolicy": restart,
        "AutoRemove": options.flag("rm"),
        "VolumeDriver": options.text("volume-driver"),
        "VolumesFrom": options.items("volumes-from") or None,
        "ConsoleSize": [0, 0],
        "CapAdd": added,
        "CapDrop": dropped,
        "CgroupnsMode": options.text("cgroupns"),
        "Dns": options.items("dns"),
        "DnsOptions": options.items("dns-option"),
        "DnsSearch": options.items("dns-search"),
        "ExtraHosts": options.items("add-host") or None,
        "GroupAdd": options.items("group-add") or None,
        "IpcMode": options.text("ipc"),
        "Cgroup": "",
        "Links": options.items("link") or None,
        "OomScoreAdj": options.number("oom-score-adj"),
        "PidMode": options.text("pid"),
        "Privileged": options.flag("privileged"),
        "PublishAllPorts": options.flag("publish-all"),
        "ReadonlyRootfs": options.flag("read-only"),
        "SecurityOpt": security or None,
        "UTSMode": options.text("uts"),
        "UsernsMode": options.text("userns"),
        "ShmSize": options.number("shm-size"),
        "Isolation": options.text("isolation"),
        **_resources(options),
        "MaskedPaths": [] if open_paths else None,
        "ReadonlyPaths": [] if open_paths else None,
    }
    _optional_host_fields(options, host)
    return {**config, "HostConfig": host, "NetworkingConfig": {"EndpointsConfig": endpoints}}


def _optional_host_fields(options: Options, host: dict[str, Any]) -> None:
    """Fields that docker leaves out when they are empty."""
    for name, value in (
        ("StorageOpt", _storage(options.items("storage-opt"))),
        ("Tmpfs", tmpfs_options(options.items("tmpfs"))),
        ("Sysctls", options.pairs("sysctl")),
        ("Annotations", options.pairs("annotation")),
        ("Mounts", [parse_mount(text) for text in options.items("mount")]),
        ("Runtime", options.text("runtime")),
    ):
        if value:
            host[name] = value
    if options.changed("init"):
        host["Init"] = options.flag("init")
