"""Containers as each version of the API shows them. Pure functions."""

from typing import Any

import msgspec

from wherry.engine.containers.container import Container, State
from wherry.engine.containers.inspect import Inspected
from wherry.engine.containers.spec import MASKED_PATHS, READONLY_PATHS
from wherry.engine.containers.summary import mount_summaries
from wherry.engine.networks.settings import endpoint_settings, port_map
from wherry.model.docker.container import ContainerConfig, EndpointSettings, HostConfig
from wherry.model.docker.container_summary import ContainerSummary, SummaryNetworks

Version = tuple[int, int]
View = dict[str, Any]

_WITH_DNS_NAMES = (1, 44)
_WITHOUT_ID_ALIASES = (1, 45)
_WITH_GATEWAY_PRIORITY = (1, 48)
_WITH_ANNOTATIONS = (1, 43)
_WITH_START_INTERVAL = (1, 44)

_WITHOUT_ZERO_KERNEL_MEMORY = (1, 42)
_WITHOUT_TOP_NETWORK_FIELDS = (1, 52)
_WITHOUT_MAC_ADDRESS = (1, 52)
_WITHOUT_EMPTY_ON_BUILD = (1, 52)
_WITHOUT_KERNEL_MEMORY = (1, 52)
_WITH_HEALTH_SUMMARY = (1, 52)
_WITH_LISTED_ANNOTATIONS = (1, 46)

_OMITTED_IF_EMPTY = {
    "Annotations", "StorageOpt", "Tmpfs", "Sysctls", "Mounts", "KernelMemoryTCP", "Init",
}  # fmt: skip
_LISTS = {
    "Dns", "DnsOptions", "DnsSearch", "BlkioWeightDevice", "BlkioDeviceReadBps",
    "BlkioDeviceWriteBps", "BlkioDeviceReadIOps", "BlkioDeviceWriteIOps", "Devices",
}  # fmt: skip
_CONFIG_OMITTED = {
    "ExposedPorts", "Healthcheck", "ArgsEscaped", "NetworkDisabled", "MacAddress", "StopSignal",
    "StopTimeout", "Shell",
}  # fmt: skip


def inspect_view(found: Inspected, version: Version) -> View:
    """`GET /containers/{id}/json`."""
    container = found.container
    record = container.record
    view: View = {
        "Id": record.id,
        "Created": record.created,
        "Path": record.path,
        "Args": list(record.args),
        "State": _state(container),
        "Image": record.image_id,
        "ResolvConfPath": f"{found.directory}/resolv.conf",
        "HostnamePath": f"{found.directory}/hostname",
        "HostsPath": f"{found.directory}/hosts",
        "LogPath": record.log_path,
        "Name": f"/{record.name}",
        "RestartCount": record.state.restart_count,
        "Driver": found.driver,
        "Platform": record.platform,
        "MountLabel": "",
        "ProcessLabel": "",
        "AppArmorProfile": "",
        "ExecIDs": list(container.execs) or None,
        "HostConfig": host_config_view(record.host, version),
        "GraphDriver": {"Data": found.layer or None, "Name": found.driver},
    }
    if found.sizes is not None:
        view["SizeRw"], view["SizeRootFs"] = found.sizes
    view["Mounts"] = mount_summaries(record)
    view["Config"] = config_view(record.config, version)
    address = _asked_mac_address(container)
    if address and version < _WITHOUT_MAC_ADDRESS:
        view["Config"]["MacAddress"] = address
    view["NetworkSettings"] = _network_settings(container, version)
    return view


def _state(container: Container) -> View:
    state: State = container.state
    view: View = {
        "Status": state.status,
        "Running": state.running,
        "Paused": state.status == "paused",
        "Restarting": state.status == "restarting",
        "OOMKilled": state.oom_killed,
        "Dead": state.status == "dead",
        "Pid": state.pid,
        "ExitCode": state.exit_code,
        "Error": state.error,
        "StartedAt": state.started_at,
        "FinishedAt": state.finished_at,
    }
    health = container.health
    if health is not None:
        view["Health"] = {
            "Status": health.status, "FailingStreak": health.failing_streak, "Log": health.log,
        }  # fmt: skip
    return view


def host_config_view(host: HostConfig, version: Version) -> View:
    """HostConfig with what Go leaves out when empty, and lists where Go shows them."""
    view: View = msgspec.to_builtins(host)
    for key in _OMITTED_IF_EMPTY:
        if not view.get(key) and view.get(key) is not False:
            view.pop(key, None)
    if version < _WITHOUT_ZERO_KERNEL_MEMORY:
        view.update(KernelMemory=0, KernelMemoryTCP=host.kernel_memory_tcp)
    elif version >= _WITHOUT_KERNEL_MEMORY:
        view.pop("KernelMemoryTCP", None)
    if "Mounts" in view:
        view["Mounts"] = [_without_empty(mount) for mount in view["Mounts"]]
    for key in _LISTS:
        view[key] = view.get(key) or []
    view["PortBindings"] = view.get("PortBindings") or {}
    if version < _WITH_ANNOTATIONS:
        view.pop("Annotations", None)
    if not host.privileged:
        if host.masked_paths is None:
            view["MaskedPaths"] = list(MASKED_PATHS)
        if host.readonly_paths is None:
            view["ReadonlyPaths"] = list(READONLY_PATHS)
    return view


def _without_empty(value: Any) -> Any:
    """A mount with what Go leaves out when it is empty, at every depth."""
    if not isinstance(value, dict):
        return value
    shown = {key: _without_empty(item) for key, item in value.items()}
    return {key: item for key, item in shown.items() if item or item == {}}


def _asked_mac_address(container: Container) -> str:
    """The address that was asked for on the container's main network."""
    networks = list(container.record.networks.values())
    return (networks[0].mac_address if networks else "") or container.record.config.mac_address


def config_view(config: ContainerConfig, version: Version) -> View:
    """Config with what Go leaves out when empty."""
    view: View = msgspec.to_builtins(config)
    for key in _CONFIG_OMITTED:
        if not view.get(key) and view.get(key) != 0:
            view.pop(key, None)
    for key in ("ArgsEscaped", "NetworkDisabled"):
        if not view.get(key):
            view.pop(key, None)
    health = view.get("Healthcheck")
    if isinstance(health, dict) and version < _WITH_START_INTERVAL:
        health.pop("StartInterval", None)
    if version >= _WITHOUT_EMPTY_ON_BUILD and not view["OnBuild"]:
        view.pop("OnBuild")
    view["Labels"] = view.get("Labels") or {}
    return view


def endpoints_view(
    container: Container, version: Version, networks: dict[str, EndpointSettings] | None = None
) -> View:
    """`NetworkSettings.Networks` in a version's shape."""
    record = container.record
    shown = networks or endpoint_settings(record.networks, record.endpoints)
    short, hostname = record.id[:12], record.config.hostname
    views: View = {}
    for name, settings in shown.items():
        own = name not in ("bridge", "host", "none", "default")
        if settings.dns_names is None and own:
            names = [record.name, *(settings.aliases or ()), short, hostname]
            settings = msgspec.structs.replace(
                settings, dns_names=list(dict.fromkeys(filter(None, names)))
            )
        if own and version < _WITHOUT_ID_ALIASES:
            aliases = [*(settings.aliases or ()), short, hostname]
            settings = msgspec.structs.replace(
                settings, aliases=list(dict.fromkeys(filter(None, aliases)))
            )
        view: View = msgspec.to_builtins(settings)
        if version < _WITH_DNS_NAMES:
            view.pop("DNSNames", None)
        if version < _WITH_GATEWAY_PRIORITY:
            view.pop("GwPriority", None)
        views[name] = view
    return views


def _network_settings(container: Container, version: Version) -> View:
    record = container.record
    shown = endpoint_settings(record.networks, record.endpoints)
    running = bool(record.endpoints)
    exposed = [port if "/" in port else f"{port}/tcp" for port in record.config.exposed_ports or ()]
    exposed += [port for port in record.host.port_bindings or () if port not in exposed]
    view: View = {
        "SandboxID": record.id if running else "",
        "SandboxKey": f"/proc/{record.state.pid}/ns/net" if running and record.state.pid else "",
        "Ports": port_map(exposed if running else (), record.endpoints),
        "Networks": endpoints_view(container, version, shown),
    }
    if version < _WITHOUT_TOP_NETWORK_FIELDS:
        view.update(_bridge_fields(shown.get("bridge") or EndpointSettings()))
    return view


def _bridge_fields(bridge: EndpointSettings) -> View:
    """What versions before 1.52 repeat of the default bridge, and what was never set."""
    return {
        "Bridge": "",
        "HairpinMode": False,
        "LinkLocalIPv6Address": "",
        "LinkLocalIPv6PrefixLen": 0,
        "SecondaryIPAddresses": None,
        "SecondaryIPv6Addresses": None,
        "EndpointID": bridge.endpoint_id,
        "Gateway": bridge.gateway,
        "GlobalIPv6Address": bridge.global_ipv6_address,
        "GlobalIPv6PrefixLen": bridge.global_ipv6_prefix_len,
        "IPAddress": bridge.ip_address,
        "IPPrefixLen": bridge.ip_prefix_len,
        "IPv6Gateway": bridge.ipv6_gateway,
        "MacAddress": bridge.mac_address,
    }


def summary_view(summary: ContainerSummary, version: Version) -> ContainerSummary:
    """One line of `GET /containers/json`."""
    changes: dict[str, Any] = {}
    host = summary.host_config
    if version < _WITH_LISTED_ANNOTATIONS and host.annotations is not msgspec.UNSET:
        plain = msgspec.structs.replace(host, annotations=msgspec.UNSET)
        changes["host_config"] = plain
    if version < _WITH_HEALTH_SUMMARY:
        changes["health"] = msgspec.UNSET
    if version < _WITH_GATEWAY_PRIORITY:
        networks = summary.network_settings.networks
        shown = {name: _older_endpoint(item, version) for name, item in networks.items()}
        changes["network_settings"] = SummaryNetworks(shown)
    return msgspec.structs.replace(summary, **changes) if changes else summary


def _older_endpoint(settings: EndpointSettings, version: Version) -> View:
    view: View = msgspec.to_builtins(settings)
    view.pop("GwPriority")
    if version < _WITH_DNS_NAMES:
        view.pop("DNSNames")
    return view
