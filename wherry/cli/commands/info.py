"""`wherry info`."""

from __future__ import annotations

from wherry import __version__
from wherry.cli.errors import CliError
from wherry.cli.option_texts import FORMAT_HELP
from wherry.cli.units import bytes_size
from wherry.client.errors import ClientError
from wherry.client.json_text import dumps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from wherry.cli.options import Option, Options
    from wherry.cli.session import Session

SYNTAX = "[OPTIONS]"
ALIASES: tuple[str, ...] = ("system info", "info")
OPTIONS: tuple[Option, ...] = (("format", "f", "string", FORMAT_HELP),)
ARGUMENTS = (0, 0)


_COUNTS = (
    (" Containers", "Containers"),
    ("  Running", "ContainersRunning"),
    ("  Paused", "ContainersPaused"),
    ("  Stopped", "ContainersStopped"),
    (" Images", "Images"),
)
_HOST = (
    (" Kernel Version", "KernelVersion"),
    (" Operating System", "OperatingSystem"),
    (" OSType", "OSType"),
    (" Architecture", "Architecture"),
)
_PROXIES = ((" HTTP Proxy", "HttpProxy"), (" HTTPS Proxy", "HttpsProxy"), (" No Proxy", "NoProxy"))


def run(session: Session, options: Options, operands: list[str]) -> int:
    """Shows what the client and the engine say about themselves."""
    client = {"Version": __version__, "Context": session.context, "Debug": session.debug}
    failure = ""
    server: dict[str, Any] = {}
    try:
        server = session.client.get("/info")
    except ClientError as error:
        failure = error.message
    if options.text("format"):
        _templated(session, options.text("format"), {**server, "ClientInfo": client}, failure)
        return 0
    session.out(
        f"Client:\n Version:    {client['Version']}\n Context:    {client['Context']}\n"
        f" Debug Mode: {_truth(client['Debug'])}\n\nServer:\n"
    )
    if failure:
        raise CliError(failure)
    session.out("\n".join(_server_lines(server, session.debug)) + "\n\n")
    for warning in server.get("Warnings") or ():
        session.warn(warning)
    return 0


def _templated(session: Session, source: str, value: dict[str, Any], failure: str) -> None:
    if failure:
        value["ServerErrors"] = [failure]
    if source == "json":
        session.out(f"{dumps(value)}\n")
    else:
        from wherry.cli.template import Template
        from wherry.cli.template_values import typed

        try:
            template = Template(source)
        except CliError as error:
            raise CliError(error.message, 64) from error
        try:
            text = template.execute(typed(value, "system.dockerInfo"))
        except CliError:
            session.out("\n")
            raise
        session.out(f"{text}\n")
    if failure:
        raise CliError(failure)


def _truth(value: object) -> str:
    return "true" if value else "false"


def _given(info: dict[str, Any], rows: tuple[tuple[str, str], ...]) -> list[str]:
    return [f"{label}: {info[name]}" for label, name in rows if info.get(name)]


def _server_lines(info: dict[str, Any], debug: bool) -> list[str]:
    lines = [f"{label}: {info.get(name, 0)}" for label, name in _COUNTS]
    lines += _given(info, ((" Server Version", "ServerVersion"), (" Storage Driver", "Driver")))
    lines += [f"  {pair[0]}: {pair[1]}" for pair in info.get("DriverStatus") or ()]
    lines += _given(
        info,
        (
            (" Logging Driver", "LoggingDriver"),
            (" Cgroup Driver", "CgroupDriver"),
            (" Cgroup Version", "CgroupVersion"),
        ),
    )
    lines += _plugin_lines(info)
    lines.append(f" Swarm: {(info.get('Swarm') or {}).get('LocalNodeState', 'inactive')}")
    lines += _runtime_lines(info)
    lines += _given(info, _HOST)
    lines += [f" CPUs: {info.get('NCPU', 0)}", f" Total Memory: {bytes_size(info['MemTotal'])}"]
    lines += _given(info, ((" Name", "Name"), (" ID", "ID")))
    lines += [
        f" Docker Root Dir: {info.get('DockerRootDir', '')}",
        f" Debug Mode: {_truth(info.get('Debug'))}",
    ]
    if info.get("Debug") or debug:
        lines += [
            f"  File Descriptors: {info.get('NFd', 0)}",
            f"  Goroutines: {info.get('NGoroutines', 0)}",
            f"  System Time: {info.get('SystemTime', '')}",
            f"  EventsListeners: {info.get('NEventsListener', 0)}",
        ]
    lines += _given(info, _PROXIES)
    if info.get("Labels"):
        lines += [" Labels:", *(f"  {label}" for label in info["Labels"])]
    lines.append(f" Experimental: {_truth(info.get('ExperimentalBuild'))}")
    return lines + _registry_lines(info)


def _plugin_lines(info: dict[str, Any]) -> list[str]:
    plugins = info.get("Plugins") or {}
    lines = [" Plugins:"]
    for name in ("Volume", "Network", "Authorization", "Log"):
        if plugins.get(name) or name != "Authorization":
            lines.append(f"  {name}: {' '.join(plugins.get(name) or ())}")
    if info.get("CDISpecDirs"):
        lines += [" CDI spec directories:", *(f"  {path}" for path in info["CDISpecDirs"])]
    if info.get("DiscoveredDevices"):
        lines.append(" Discovered Devices:")
        lines += [f"  {item['Source']}: {item['ID']}" for item in info["DiscoveredDevices"]]
    return lines


def _runtime_lines(info: dict[str, Any]) -> list[str]:
    lines = []
    if info.get("Runtimes"):
        lines += [
            f" Runtimes: {' '.join(sorted(info['Runtimes']))}",
            f" Default Runtime: {info.get('DefaultRuntime', '')}",
        ]
    if info.get("OSType") == "linux":
        lines.append(f" Init Binary: {info.get('InitBinary', '')}")
        for label, name in (("containerd", "Containerd"), ("runc", "Runc"), ("init", "Init")):
            lines.append(f" {label} version: {(info.get(f'{name}Commit') or {}).get('ID', '')}")
        if info.get("SecurityOptions"):
            lines.append(" Security Options:")
            for option in info["SecurityOptions"]:
                lines += _security_lines(option)
    return lines


def _security_lines(option: str) -> list[str]:
    pairs = [part.partition("=")[::2] for part in option.split(",")]
    names = [f"  {value}" for key, value in pairs if key == "name"]
    return names + [f"   Profile: {value}" for key, value in pairs if key == "profile"]


def _registry_lines(info: dict[str, Any]) -> list[str]:
    registry = info.get("RegistryConfig") or {}
    indexes = registry.get("IndexConfigs") or {}
    networks = registry.get("InsecureRegistryCIDRs") or ()
    lines = []
    if indexes or networks:
        lines.append(" Insecure Registries:")
        lines += [f"  {index['Name']}" for index in indexes.values() if not index.get("Secure")]
        lines += [f"  {network}" for network in networks]
    if registry.get("Mirrors"):
        lines += [" Registry Mirrors:", *(f"  {mirror}" for mirror in registry["Mirrors"])]
    lines.append(f" Live Restore Enabled: {_truth(info.get('LiveRestoreEnabled'))}")
    lines += _given(info, ((" Product License", "ProductLicense"),))
    if info.get("DefaultAddressPools"):
        lines.append(" Default Address Pools:")
        for pool in info["DefaultAddressPools"]:
            lines.append(f"   Base: {pool['Base']}, Size: {pool['Size']}")
    firewall = info.get("FirewallBackend")
    if firewall:
        lines.append(f" Firewall Backend: {firewall.get('Driver', '')}")
        lines += [f"  {pair[0]}: {pair[1]}" for pair in firewall.get("Info") or ()]
    return lines
