"""The daemon's options: one row each, with dockerd's names as flags and as keys of daemon.json."""

import ipaddress
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

_REGISTRY = re.compile(r"(\[[0-9a-fA-F:]+\]|[a-zA-Z0-9]([a-zA-Z0-9._-]*[a-zA-Z0-9])?)(:\d+)?")
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


class Option(msgspec.Struct, frozen=True):
    """One option: its flag, what it does, how a value becomes its setting.

    The key in the file is the flag's name, or `key` where they differ (dockerd's plurals).
    """

    flag: str
    help: str
    parse: Callable[[Any], Any] = str
    key: str = ""
    repeated: bool = False
    switch: bool = False
    short: str = ""
    live: bool = False

    @property
    def file_key(self) -> str:
        """Its key in daemon.json."""
        return self.key or self.flag

    @property
    def field(self) -> str:
        """The setting that it becomes."""
        return self.file_key.replace("-", "_")


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


def _one_of(what: str, *allowed: str) -> Callable[[Any], str]:
    def parse(value: Any) -> str:
        if value not in allowed:
            raise ValueError(f"{what}: {value} (there are {', '.join(allowed)})")
        return str(value)

    return parse


def _number(value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        raise ValueError(f"{value} is no number") from None


def _mirror(value: Any) -> str:
    """The address of a mirror; raises ValueError in dockerd's words."""
    url = urlsplit(str(value))
    if url.scheme not in ("http", "https"):
        raise ValueError(f'invalid mirror: unsupported scheme "{url.scheme}" in "{value}"')
    if not url.netloc:
        raise ValueError(f'invalid mirror: no host in "{value}"')
    if url.query or url.fragment:
        raise ValueError(f'invalid mirror: query or fragment at end of the URI "{value}"')
    if "@" in url.netloc:
        raise ValueError("invalid mirror: username/password not allowed in URI")
    return str(value)


def _insecure(value: Any) -> str:
    """A registry's host and port, or a network; raises ValueError in dockerd's words.

    A scheme before it is dropped, as dockerd does.
    """
    text = str(value).removeprefix("http://").removeprefix("https://")
    try:
        ipaddress.ip_network(text)
    except ValueError:
        if not _REGISTRY.fullmatch(text):
            reason = f'insecure registry {text} is not valid: invalid host "{text}"'
            raise ValueError(reason) from None
    return text


def _positive(value: Any) -> int:
    number = _number(value)
    if number < 1:
        raise ValueError(f"{number} is not a positive number")
    return number


def _only_true(value: Any) -> bool:
    if not _boolean(value):
        raise ValueError("IPv6 cannot be left out of the rules alone: use iptables=false for none")
    return True


def _switch(flag: str, help: str, **more: Any) -> Option:
    return Option(flag, help, _boolean, switch=True, **more)


OPTIONS: tuple[Option, ...] = (
    Option("host", "socket to listen on", key="hosts", repeated=True, short="H"),
    Option("group", "group of the unix socket"),
    Option("data-root", "directory of durable state", Path),
    Option("exec-root", "directory of running state", Path),
    Option("pidfile", "file for the daemon's process id", Path, short="p"),
    _switch("debug", "log at debug level", short="D", live=True),
    Option(
        "log-level", "debug, info, warn, error or fatal",
        _one_of("invalid logging level", "debug", "info", "warn", "error", "fatal"),
        short="l", live=True,
    ),
    Option(
        "log-format", "text or json", _one_of("invalid log format", "text", "json"), live=True,
    ),
    _switch("live-restore", "leave containers running when the daemon ends", live=True),
    Option("shutdown-timeout", "seconds for containers to stop when live-restore is off", _number,
           live=True),
    Option("metrics-addr", "address (host:port) where Prometheus metrics are served"),
    Option(
        "storage-driver", "overlay2 or vfs", _one_of("driver not supported", "overlay2", "vfs"),
        short="s",
    ),
    Option("registry-mirror", "mirror of the default registry", _mirror, key="registry-mirrors",
           repeated=True, live=True),
    Option("insecure-registry", "registry reached without verified TLS", _insecure,
           key="insecure-registries", repeated=True, live=True),
    Option("max-concurrent-downloads", "layers downloaded at once by a pull", _positive, live=True),
    Option("max-concurrent-uploads", "layers uploaded at once by a push", _positive, live=True),
    Option("max-download-attempts", "times that a download begins before it fails", _positive,
           live=True),
    Option("http-proxy", "proxy for registries reached by HTTP", live=True),
    Option("https-proxy", "proxy for registries reached by HTTPS", live=True),
    Option("no-proxy", "hosts reached without a proxy, separated by commas", live=True),
    Option("bridge", "existing bridge for containers, or none", short="b"),
    Option("bip", "address of the default bridge (CIDR)"),
    Option("fixed-cidr", "range of the default bridge's addresses"),
    _switch("ipv6", "IPv6 on the default bridge"),
    Option("fixed-cidr-v6", "IPv6 subnet of the default bridge"),
    Option("default-gateway", "gateway of containers on the default bridge"),
    Option("default-gateway-v6", "IPv6 gateway of containers on the default bridge"),
    Option("mtu", "MTU of the default bridge in bytes", _number),
    Option("default-address-pool", "pool for networks' subnets (base=CIDR,size=N)", parse_pool,
           key="default-address-pools", repeated=True),
    _switch("icc", "containers on the default bridge reach each other"),
    Option("ip", "address that published ports bind to by default"),
    _switch("ip-forward", "turn on forwarding"),
    _switch("ip-masq", "masquerade what leaves the bridge"),
    _switch("iptables", "write firewall rules"),
    Option("ip6tables", "write firewall rules for IPv6, too", _only_true, switch=True),
    _switch("userland-proxy", "publish ports at [::1] and from IPv6 to IPv4"),
    Option("dns", "name server for containers", repeated=True, live=True),
    Option("dns-opt", "resolver option for containers", key="dns-opts", repeated=True, live=True),
    Option("dns-search", "search domain for containers", repeated=True, live=True),
    Option("host-gateway-ip", "address that host-gateway stands for", key="host-gateway-ips",
           repeated=True, live=True),
    Option("cgroup-parent", "parent of containers' cgroups"),
    Option("exec-opt", "runtime option (native.cgroupdriver=systemd|cgroupfs)", key="exec-opts",
           repeated=True),
    Option("default-ulimit", "resource limit for containers (name=soft[:hard])", parse_ulimit,
           key="default-ulimits", repeated=True, live=True),
    Option("default-shm-size", "size of /dev/shm", parse_size, live=True),
    Option("default-ipc-mode", "private or shareable",
           _one_of("IPC is (default) mode", "private", "shareable"), live=True),
    Option("default-cgroupns-mode", "private or host",
           _one_of("invalid default cgroup namespace", "private", "host"), live=True),
    Option("default-stop-timeout", "seconds from a stop's signal to its kill", _number, live=True),
    _switch("no-new-privileges", "set no-new-privileges for containers", live=True),
    Option("seccomp-profile", "path of the default seccomp profile, or unconfined", live=True),
    _switch("init", "run an init in containers", live=True),
    Option("init-path", "static init program for --init", live=True),
    Option("log-driver", "json-file, local or none",
           _one_of("logger: no log driver named", "json-file", "local", "none"), live=True),
    Option("log-opt", "option of the log driver (key=value)", key="log-opts", repeated=True,
           live=True),
    Option("secrets-key-file", "key that secrets are encrypted with (32 bytes, mode 0600)", Path),
    Option("label", "label of this engine (key=value)", key="labels", repeated=True, live=True),
    _switch("tls", "serve TCP hosts with TLS"),
    _switch("tlsverify", "serve TLS and verify clients"),
    Option("tlscacert", "certificates that sign clients"),
    Option("tlscert", "certificate of the engine"),
    Option("tlskey", "key of the engine"),
)  # fmt: skip
"""Those that are `live` take effect when the file is read again (SIGHUP), without a restart."""

FORMER_KEYS = {"host-gateway-ip": "host-gateway-ips"}
"""Keys with one value that now hold a list."""

_NO_CONTAINERD = "Wherry is an engine of its own and runs without containerd"
_NO_PLUGINS = "Wherry runs no plugins"
_NO_SWARM = "Wherry takes no part in a swarm"
REFUSED = {
    "allow-nondistributable-artifacts": "Wherry pushes every layer",
    "authorization-plugins": _NO_PLUGINS,
    "containerd": _NO_CONTAINERD,
    "containerd-namespace": _NO_CONTAINERD,
    "containerd-plugins-namespace": _NO_CONTAINERD,
    "cri-containerd": _NO_CONTAINERD,
    "cpu-rt-period": "give --cpu-rt-period to containers",
    "cpu-rt-runtime": "give --cpu-rt-runtime to containers",
    "default-runtime": "Wherry's own runtime is the only one",
    "experimental": "nothing is hidden behind it",
    "features": "no feature waits to be switched on",
    "graph": "its name is data-root",
    "network-control-plane-mtu": _NO_SWARM,
    "network-diagnostic-port": _NO_SWARM,
    "node-generic-resources": _NO_SWARM,
    "nri-opts": _NO_PLUGINS,
    "raw-logs": "Wherry's log has no colours",
    "runtimes": "Wherry's own runtime is the only one",
    "selinux-enabled": "Wherry sets no SELinux labels",
    "storage-opts": "the storage drivers have no options",
    "swarm-default-advertise-addr": _NO_SWARM,
    "userland-proxy-path": "Wherry's proxy is a part of it",
    "userns-remap": "give --userns auto to containers",
}
"""Options of dockerd that mean nothing here, and why."""


def setting(option: Option, value: Any) -> Any:
    """The setting that a value from the file or the flags means; raises ValueError and its kin."""
    if option.field == "log_opts":
        pairs = value.items() if isinstance(value, dict) else (v.split("=", 1) for v in value)
        return {str(key): _text(text) for key, text in pairs}
    if not option.repeated:
        return option.parse(value)
    if isinstance(value, dict):  # dockerd's file gives default-ulimits as an object by name
        value = list(value.values())
    if not isinstance(value, list):
        raise ValueError(f"a list is needed, not {value}")
    return tuple(option.parse(item) for item in value)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
