"""The daemon's configuration, read from flags and from a file in dockerd's format.

An option given in both places is refused, as dockerd does, so that nobody wonders which one won.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from wherry import __version__
from wherry.base.errors import InvalidParameter
from wherry.daemon.options import FORMER_KEYS, OPTIONS, REFUSED, AddressPool, Ulimit, setting

DEFAULT_CONFIG_FILE = Path("/etc/wherry/daemon.json")
DEFAULT_HOST = "unix:///run/wherry/wherry.sock"


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """What the daemon was told, complete with defaults; names are dockerd's."""

    hosts: tuple[str, ...] = (DEFAULT_HOST,)
    group: str = ""
    data_root: Path = Path("/var/lib/wherry")
    exec_root: Path = Path("/run/wherry")
    config_directory: Path = DEFAULT_CONFIG_FILE.parent
    pidfile: Path | None = None
    debug: bool = False
    log_level: str = "info"
    log_format: str = "text"
    metrics_addr: str = ""
    live_restore: bool = True
    shutdown_timeout: int = 15
    storage_driver: str = ""
    registry_mirrors: tuple[str, ...] = ()
    insecure_registries: tuple[str, ...] = ()
    max_concurrent_downloads: int = 3
    max_concurrent_uploads: int = 5
    max_download_attempts: int = 5
    http_proxy: str = ""
    https_proxy: str = ""
    no_proxy: str = ""
    bridge: str = ""
    bip: str = ""
    fixed_cidr: str = ""
    fixed_cidr_v6: str = ""
    default_gateway: str = ""
    default_gateway_v6: str = ""
    ipv6: bool = False
    mtu: int = 0
    default_address_pools: tuple[AddressPool, ...] = ()
    icc: bool = True
    ip: str = ""
    ip_forward: bool = True
    ip_masq: bool = True
    iptables: bool = True
    ip6tables: bool = True
    userland_proxy: bool = True
    dns: tuple[str, ...] = ()
    dns_opts: tuple[str, ...] = ()
    dns_search: tuple[str, ...] = ()
    host_gateway_ips: tuple[str, ...] = ()
    cgroup_parent: str = ""
    exec_opts: tuple[str, ...] = ()
    default_ulimits: tuple[Ulimit, ...] = ()
    default_shm_size: int = 64 << 20
    default_ipc_mode: str = "private"
    default_cgroupns_mode: str = ""
    default_stop_timeout: int = 10
    no_new_privileges: bool = False
    seccomp_profile: str = ""
    init: bool = False
    init_path: str = ""
    log_driver: str = "json-file"
    log_opts: dict[str, str] = {}
    labels: tuple[str, ...] = ()
    secrets_key_file: Path | None = None
    tls: bool | None = None
    tlsverify: bool | None = None
    tlscacert: str = ""
    tlscert: str = ""
    tlskey: str = ""


def load_config(arguments: Sequence[str]) -> Config:
    """The configuration of a command line and its file; raises InvalidParameter naming the fault.

    A missing file is an error only when `--config-file` named it.
    """
    parsed = _parse(arguments)
    path = parsed.pop("config_file")
    flags = {name: value for name, value in parsed.items() if value is not None}
    validate_only = flags.pop("validate", False)
    source = path or DEFAULT_CONFIG_FILE
    from_file = read_config_file(source, required=path is not None)
    _refuse_both(source, flags, from_file)
    values = {**_values(from_file, by_flag=False), **_values(flags, by_flag=True)}
    config = Config(config_directory=source.parent, **values)
    _check(config)
    if validate_only:
        sys.stdout.write("configuration OK\n")
        raise SystemExit(0)
    return config


def read_config_file(path: Path, *, required: bool) -> dict[str, Any]:
    """The file's options by key; raises InvalidParameter for bad JSON and unknown keys."""
    try:
        text = path.read_text()
    except OSError as error:
        if isinstance(error, FileNotFoundError) and not required:
            return {}
        reason = (error.strerror or str(error)).lower()
        raise InvalidParameter(
            f"unable to configure the daemon with file {path}: {reason}"
        ) from None
    except UnicodeDecodeError:
        raise InvalidParameter(
            f"unable to configure the daemon with file {path}: it is no text in UTF-8"
        ) from None
    try:
        content = json.loads(text) if text.strip() else {}
    except ValueError as error:
        raise InvalidParameter(
            f"unable to configure the daemon with file {path}: {error}"
        ) from None
    if not isinstance(content, dict):
        raise InvalidParameter(f"unable to configure the daemon with file {path}: not an object")
    for old, new in FORMER_KEYS.items():
        if old in content:
            content.setdefault(new, [content.pop(old)])
    for key in content:
        if key in REFUSED:
            raise InvalidParameter(
                f"unable to configure the daemon with file {path}: {key} does not apply: "
                f"{REFUSED[key]}; remove it"
            )
    unknown = sorted(set(content) - {option.file_key for option in OPTIONS})
    if unknown:
        raise InvalidParameter(
            f"unable to configure the daemon with file {path}: the following directives don't "
            f"match any configuration option: {', '.join(unknown)}"
        )
    return content


def _parse(arguments: Sequence[str]) -> dict[str, Any]:
    """The flags by name; raises InvalidParameter for those that do not exist or do not apply."""
    known, unknown = _parser().parse_known_args(list(arguments))
    if not unknown:
        return vars(known)
    flag = unknown[0].partition("=")[0]
    name = flag.lstrip("-")
    for key in (name, f"{name}s"):
        if key in REFUSED:
            raise InvalidParameter(f"{flag} does not apply: {REFUSED[key]}; leave it out")
    what = "unknown flag" if flag.startswith("-") else "wherry daemon takes no arguments"
    raise InvalidParameter(f"{what}: {flag} (see 'wherry daemon --help')")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="wherry daemon",
        description="A self-sufficient runtime for containers.",
        allow_abbrev=False,
        argument_default=None,
    )
    parser.add_argument("-v", "--version", action="version", version=f"Wherry {__version__}")
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
        f"{option.file_key}: (from flag: {flags[option.field]}, "
        f"from file: {json.dumps(from_file[option.file_key])})"
        for option in OPTIONS
        if option.field in flags and option.file_key in from_file
    ]
    if twice:
        raise InvalidParameter(
            f"unable to configure the daemon with file {path}: the following directives are "
            f"specified both as a flag and in the configuration file: {', '.join(twice)}"
        )


def _values(given: dict[str, Any], *, by_flag: bool) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for option in OPTIONS:
        name = option.field if by_flag else option.file_key
        if name not in given:
            continue
        value = given[name]
        try:
            values[option.field] = setting(option, value)
        except (ValueError, KeyError, TypeError) as error:
            reason = str(error) if isinstance(error, ValueError) else f"not understood: {value}"
            raise InvalidParameter(f"invalid value for {option.flag}: {reason}") from None
    return values


def cgroup_driver(config: Config) -> str:
    """The driver that was asked for by `native.cgroupdriver`, empty if none was."""
    asked = ""
    for option in config.exec_opts:
        key, equals, value = option.partition("=")
        if key.strip().lower() != "native.cgroupdriver" or not equals:
            raise InvalidParameter(f"invalid exec-opt: {option}: only native.cgroupdriver is known")
        asked = value.strip()
        if asked not in ("", "cgroupfs", "systemd"):
            raise InvalidParameter(f"native.cgroupdriver option {asked} not supported")
    return asked


def _check(config: Config) -> None:
    cgroup_driver(config)
    if config.mtu < 0:
        raise InvalidParameter(f"invalid default MTU: {config.mtu}")
    if config.bip and config.bridge:
        raise InvalidParameter(
            "you specified --bridge and --bip, which are mutually exclusive: give one of them"
        )
    for host in config.hosts:
        if host.partition("://")[0] not in ("unix", "tcp", "fd"):
            raise InvalidParameter(f"invalid bind address (use unix://, tcp:// or fd://): {host}")
        # Who listens for everybody says so twice: containers reach the host, too (CVE-2025-9074).
        open_on_purpose = config.tlsverify is False or config.tls is False
        if host.startswith("tcp://") and not config.tlsverify and not open_on_purpose:
            raise InvalidParameter(
                f"{host} would serve root to everybody who reaches it: use --tlsverify with "
                "--tlscacert, --tlscert and --tlskey, or say --tlsverify=false as well"
            )
