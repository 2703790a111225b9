"""The daemon's options: one table, read from flags and from a file in dockerd's format.

An option given in both places is refused, as dockerd does, so that nobody wonders which one won.
"""

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from wherry.base.errors import InvalidParameter

DEFAULT_CONFIG_FILE = Path("/etc/wherry/daemon.json")
DEFAULT_HOST = "unix:///run/wherry/wherry.sock"
_UNITS = {"b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}


class Ulimit(msgspec.Struct, frozen=True):
    """A default resource limit for containers, `hard` and `soft` in setrlimit(2)'s units."""

    name: str
    soft: int
    hard: int


class AddressPool(msgspec.Struct, frozen=True):
    """Where subnets of new networks come from: blocks of prefix length `size` out of `base`."""

    base: str
    size: int


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """What the daemon was told, complete with defaults; names are dockerd's."""

    hosts: tuple[str, ...] = (DEFAULT_HOST,)
    group: str = ""
    data_root: Path = Path("/var/lib/wherry")
    exec_root: Path = Path("/run/wherry")
    pidfile: Path | None = None
    debug: bool = False
    log_level: str = "info"
    live_restore: bool = True
    shutdown_timeout: int = 15
    storage_driver: str = ""
    registry_mirrors: tuple[str, ...] = ()
    insecure_registries: tuple[str, ...] = ()
    max_concurrent_downloads: int = 3
    bridge: str = ""
    bip: str = ""
    fixed_cidr: str = ""
    mtu: int = 0
    default_address_pools: tuple[AddressPool, ...] = ()
    icc: bool = True
    ip: str = ""
    ip_forward: bool = True
    ip_masq: bool = True
    iptables: bool = True
    dns: tuple[str, ...] = ()
    dns_opts: tuple[str, ...] = ()
    dns_search: tuple[str, ...] = ()
    host_gateway_ip: str = ""
    cgroup_parent: str = ""
    default_ulimits: tuple[Ulimit, ...] = ()
    default_shm_size: int = 64 << 20
    default_ipc_mode: str = "private"
    default_cgroupns_mode: str = ""
    no_new_privileges: bool = False
    seccomp_profile: str = ""
    init: bool = False
    init_path: str = ""
    log_driver: str = "json-file"
    log_opts: dict[str, str] = {}
    labels: tuple[str, ...] = ()
    tls: bool = False
    tlsverify: bool = False
    tlscacert: str = ""
    tlscert: str = ""
    tlskey: str = ""


class Option(msgspec.Struct, frozen=True):
    """One option: its flag, its key in the file, and how text becomes its value."""

    flag: str
    key: str
    field: str
    help: str
    parse: Callable[[Any], Any] = str
    repeated: bool = False
    switch: bool = False
    short: str = ""


def parse_size(value: Any) -> int:
    """Bytes of a size such as 64m or 1g (powers of 1024); raises ValueError on other text."""
    if isinstance(value, int):
        return value
    text = str(value).strip().lower().removesuffix("b") or "0"
    if text[-1] in _UNITS:
        return int(float(text[:-1]) * _UNITS[text[-1]])
    return int(text)


def parse_ulimit(value: Any) -> Ulimit:
    """A limit from `name=soft[:hard]` or from the file's object form."""
    if isinstance(value, dict):
        parsed = Ulimit(str(value["Name"]), int(value["Soft"]), int(value["Hard"]))
    else:
        name, equals, limits = str(value).partition("=")
        if not equals:
            raise ValueError(f"invalid ulimit argument: {value}")
        soft, _, hard = limits.partition(":")
        parsed = Ulimit(name, int(soft), int(hard or soft))
    if parsed.hard != -1 and (parsed.soft > parsed.hard or parsed.soft == -1):
        raise ValueError(
            f"ulimit soft limit must be less than or equal to hard limit: "
            f"{parsed.soft} > {parsed.hard}"
        )
    return parsed


def parse_pool(value: Any) -> AddressPool:
    """A pool from `base=CIDR,size=N` or from the file's object form."""
    fields = value if isinstance(value, dict) else dict(p.split("=", 1) for p in value.split(","))
    return AddressPool(str(fields["base"]), int(fields["size"]))


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    words = {"true": True, "1": True, "t": True, "false": False, "0": False, "f": False}
    return words[str(value).lower()]


def _storage_driver(value: Any) -> str:
    if value not in ("", "overlay2", "vfs"):
        raise ValueError(f"driver not supported: {value} (there are overlay2 and vfs)")
    return str(value)


def _log_level(value: Any) -> str:
    if value not in ("debug", "info", "warn", "error", "fatal"):
        raise ValueError(f"invalid logging level: {value}")
    return str(value)


OPTIONS: tuple[Option, ...] = (
    Option("host", "hosts", "hosts", "socket to listen on", repeated=True, short="H"),
    Option("group", "group", "group", "group of the unix socket"),
    Option("data-root", "data-root", "data_root", "directory of durable state", Path),
    Option("exec-root", "exec-root", "exec_root", "directory of running state", Path),
    Option("pidfile", "pidfile", "pidfile", "file for the daemon's process id", Path, short="p"),
    Option("debug", "debug", "debug", "log at debug level", _boolean, switch=True, short="D"),
    Option(
        "log-level",
        "log-level",
        "log_level",
        "debug, info, warn, error or fatal",
        _log_level,
        short="l",
    ),
    Option(
        "live-restore",
        "live-restore",
        "live_restore",
        "leave containers running when the daemon ends",
        _boolean,
        switch=True,
    ),
    Option(
        "shutdown-timeout",
        "shutdown-timeout",
        "shutdown_timeout",
        "seconds for containers to stop when live-restore is off",
        int,
    ),
    Option(
        "storage-driver",
        "storage-driver",
        "storage_driver",
        "overlay2 or vfs",
        _storage_driver,
        short="s",
    ),
    Option(
        "registry-mirror",
        "registry-mirrors",
        "registry_mirrors",
        "mirror of the default registry",
        repeated=True,
    ),
    Option(
        "insecure-registry",
        "insecure-registries",
        "insecure_registries",
        "registry reached without verified TLS",
        repeated=True,
    ),
    Option(
        "max-concurrent-downloads",
        "max-concurrent-downloads",
        "max_concurrent_downloads",
        "layers downloaded at once by a pull",
        int,
    ),
    Option("bridge", "bridge", "bridge", "existing bridge for containers, or none", short="b"),
    Option("bip", "bip", "bip", "address of the default bridge (CIDR)"),
    Option("fixed-cidr", "fixed-cidr", "fixed_cidr", "range of the default bridge's addresses"),
    Option("mtu", "mtu", "mtu", "MTU of the default bridge in bytes", int),
    Option(
        "default-address-pool",
        "default-address-pools",
        "default_address_pools",
        "pool for networks' subnets (base=CIDR,size=N)",
        parse_pool,
        repeated=True,
    ),
    Option(
        "icc",
        "icc",
        "icc",
        "containers on the default bridge reach each other",
        _boolean,
        switch=True,
    ),
    Option("ip", "ip", "ip", "address that published ports bind to by default"),
    Option("ip-forward", "ip-forward", "ip_forward", "turn on forwarding", _boolean, switch=True),
    Option(
        "ip-masq", "ip-masq", "ip_masq", "masquerade what leaves the bridge", _boolean, switch=True
    ),
    Option("iptables", "iptables", "iptables", "write firewall rules", _boolean, switch=True),
    Option("dns", "dns", "dns", "name server for containers", repeated=True),
    Option("dns-opt", "dns-opts", "dns_opts", "resolver option for containers", repeated=True),
    Option("dns-search", "dns-search", "dns_search", "search domain for containers", repeated=True),
    Option(
        "host-gateway-ip",
        "host-gateway-ip",
        "host_gateway_ip",
        "address that host-gateway stands for",
    ),
    Option("cgroup-parent", "cgroup-parent", "cgroup_parent", "parent of containers' cgroups"),
    Option(
        "default-ulimit",
        "default-ulimits",
        "default_ulimits",
        "resource limit for containers (name=soft[:hard])",
        parse_ulimit,
        repeated=True,
    ),
    Option(
        "default-shm-size", "default-shm-size", "default_shm_size", "size of /dev/shm", parse_size
    ),
    Option("default-ipc-mode", "default-ipc-mode", "default_ipc_mode", "private or shareable"),
    Option(
        "default-cgroupns-mode", "default-cgroupns-mode", "default_cgroupns_mode", "private or host"
    ),
    Option(
        "no-new-privileges",
        "no-new-privileges",
        "no_new_privileges",
        "set no-new-privileges for containers",
        _boolean,
        switch=True,
    ),
    Option(
        "seccomp-profile",
        "seccomp-profile",
        "seccomp_profile",
        "path of the default seccomp profile, or unconfined",
    ),
    Option("init", "init", "init", "run an init in containers", _boolean, switch=True),
    Option("init-path", "init-path", "init_path", "static init program for --init"),
    Option("log-driver", "log-driver", "log_driver", "json-file, local or none"),
    Option(
        "log-opt", "log-opts", "log_opts", "option of the log driver (key=value)", repeated=True
    ),
    Option("label", "labels", "labels", "label of this engine (key=value)", repeated=True),
    Option("tls", "tls", "tls", "serve TCP hosts with TLS", _boolean, switch=True),
    Option(
        "tlsverify", "tlsverify", "tlsverify", "serve TLS and verify clients", _boolean, switch=True
    ),
    Option("tlscacert", "tlscacert", "tlscacert", "certificates that sign clients"),
    Option("tlscert", "tlscert", "tlscert", "certificate of the engine"),
    Option("tlskey", "tlskey", "tlskey", "key of the engine"),
)


def load_config(arguments: Sequence[str]) -> Config:
    """The configuration of a command line and its file; raises InvalidParameter naming the fault.

    A missing file is an error only when `--config-file` named it.
    """
    parsed = vars(_parser().parse_args(list(arguments)))
    path = parsed.pop("config_file")
    flags = {name: value for name, value in parsed.items() if value is not None}
    validate_only = flags.pop("validate", False)
    source = path or DEFAULT_CONFIG_FILE
    from_file = read_config_file(source, required=path is not None)
    _refuse_both(source, flags, from_file)
    values = {**_values(from_file, by_flag=False), **_values(flags, by_flag=True)}
    config = Config(**values)
    _check(config)
    if validate_only:
        raise SystemExit(0)
    return config


def read_config_file(path: Path, *, required: bool) -> dict[str, Any]:
    """The file's options by key; raises InvalidParameter for bad JSON and unknown keys."""
    try:
        text = path.read_text()
    except FileNotFoundError as error:
        if not required:
            return {}
        raise InvalidParameter(
            f"unable to configure the daemon with file {path}: {error}"
        ) from None
    try:
        content = json.loads(text) if text.strip() else {}
    except ValueError as error:
        raise InvalidParameter(
            f"unable to configure the daemon with file {path}: {error}"
        ) from None
    if not isinstance(content, dict):
        raise InvalidParameter(f"unable to configure the daemon with file {path}: not an object")
    unknown = sorted(set(content) - {option.key for option in OPTIONS})
    if unknown:
        raise InvalidParameter(
            f"unable to configure the daemon with file {path}: the following directives don't "
            f"match any configuration option: {', '.join(unknown)}"
        )
    return content


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="wherry daemon",
        description="A self-sufficient runtime for containers.",
        allow_abbrev=False,
        argument_default=None,
    )
    parser.add_argument("--config-file", type=Path, help="configuration in dockerd's format")
    parser.add_argument(
        "--validate", action="store_true", default=None, help="check the configuration and exit"
    )
    for option in OPTIONS:
        names = [f"--{option.flag}", *([f"-{option.short}"] if option.short else [])]
        if option.repeated:
            parser.add_argument(*names, dest=option.field, action="append", help=option.help)
        elif option.switch:
            parser.add_argument(
                *names,
                dest=option.field,
                nargs="?",
                const="true",
                metavar="true|false",
                help=option.help,
            )
        else:
            parser.add_argument(*names, dest=option.field, help=option.help)
    return parser


def _refuse_both(path: Path, flags: dict[str, Any], from_file: dict[str, Any]) -> None:
    twice = [
        f"{option.key}: (from flag: {flags[option.field]}, from file: {from_file[option.key]})"
        for option in OPTIONS
        if option.field in flags and option.key in from_file
    ]
    if twice:
        raise InvalidParameter(
            f"unable to configure the daemon with file {path}: the following directives are "
            f"specified both as a flag and in the configuration file: {', '.join(twice)}"
        )


def _values(given: dict[str, Any], *, by_flag: bool) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for option in OPTIONS:
        name = option.field if by_flag else option.key
        if name not in given:
            continue
        value = given[name]
        try:
            values[option.field] = _value(option, value)
        except (ValueError, KeyError, TypeError) as error:
            reason = str(error) if isinstance(error, ValueError) else f"not understood: {value}"
            raise InvalidParameter(f"invalid value for {option.flag}: {reason}") from None
    return values


def _value(option: Option, value: Any) -> Any:
    if option.field == "log_opts":
        pairs = value.items() if isinstance(value, dict) else (v.split("=", 1) for v in value)
        return {str(key): str(text) for key, text in pairs}
    if not option.repeated:
        return option.parse(value)
    if isinstance(value, dict):  # dockerd's file gives default-ulimits as an object by name
        value = list(value.values())
    if not isinstance(value, list):
        raise ValueError(f"a list is needed, not {value}")
    return tuple(option.parse(item) for item in value)


def _check(config: Config) -> None:
    if config.mtu < 0:
        raise InvalidParameter(f"invalid default MTU: {config.mtu}")
    if config.bip and config.bridge:
        raise InvalidParameter(
            "you specified --bridge and --bip, which are mutually exclusive: give one of them"
        )
    if config.max_concurrent_downloads < 1:
        raise InvalidParameter(
            f"invalid max concurrent downloads: {config.max_concurrent_downloads}"
        )
    for host in config.hosts:
        if host.partition("://")[0] not in ("unix", "tcp", "fd"):
            raise InvalidParameter(f"invalid bind address (use unix://, tcp:// or fd://): {host}")
        if host.startswith("tcp://") and not (config.tlsverify or config.tls):
            address = host.removeprefix("tcp://").rpartition(":")[0].strip("[]")
            if address not in ("127.0.0.1", "localhost", "::1"):
                raise InvalidParameter(
                    f"{host} would serve root to everybody who reaches it: use --tlsverify with "
                    "--tlscacert, --tlscert and --tlskey, or bind 127.0.0.1"
                )
