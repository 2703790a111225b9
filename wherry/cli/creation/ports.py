"""`--publish` and `--expose` (docker/go-connections `nat`)."""

from __future__ import annotations

from wherry.cli.errors import CliError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_PROTOCOLS = ("tcp", "udp", "sctp")


def parse_port_range(text: str) -> tuple[int, int]:
    """`80` or `80-90`; raises ValueError."""
    first, dash, last = text.partition("-")
    numbers = []
    for part in (first, last) if dash else (first, first):
        if not part.isascii() or not part.isdigit() or int(part) > 65535:
            raise ValueError(text)
        numbers.append(int(part))
    if numbers[1] < numbers[0]:
        raise ValueError(text)
    return numbers[0], numbers[1]


def _standard(text: str) -> str:
    """The long form `published=,target=,protocol=` in the short one."""
    if "=" not in text:
        return text
    fields = {"protocol": "tcp"}
    for part in text.split(","):
        key, equals, value = part.partition("=")
        if not equals or not key:
            raise CliError(f"invalid publish opts format (should be name=value but got '{part}')")
        fields[key] = value
    return f"{fields.get('published', '')}:{fields.get('target', '')}/{fields['protocol']}"


def _address(text: str) -> str:
    from ipaddress import ip_address

    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    try:
        ip_address(bare)
    except ValueError:
        raise CliError(f"invalid IP address: {text}") from None
    return bare


def parse_publish(text: str) -> list[tuple[str, str, str]]:
    """One `--publish` as (container port with protocol, host address, host port)."""
    parts = _standard(text).split(":")
    container = parts[-1]
    host = parts[-2] if len(parts) > 1 else ""
    address = ":".join(parts[:-2])
    container, slash, protocol = container.partition("/")
    protocol = protocol.lower() if slash and protocol else "tcp"
    if address:
        address = _address(address)
    if not container:
        raise CliError(f"no port specified: {text}<empty>")
    try:
        first, last = parse_port_range(container)
    except ValueError:
        raise CliError(f"invalid containerPort: {container}") from None
    host_first = host_last = 0
    if host:
        try:
            host_first, host_last = parse_port_range(host)
        except ValueError:
            raise CliError(f"invalid hostPort: {host}") from None
        if last - first != host_last - host_first and first != last:
            raise CliError(
                f"invalid ranges specified for container and host Ports: {container} and {host}"
            )
    if protocol not in _PROTOCOLS:
        raise CliError(f"invalid proto: {protocol}")
    mappings = []
    for offset in range(last - first + 1):
        host_port = str(host_first + offset) if host else ""
        if host and first == last and host_first != host_last:
            host_port = f"{host_first}-{host_last}"
        mappings.append((f"{first + offset}/{protocol}", address, host_port))
    return mappings


def port_settings(
    publish: Iterable[str], expose: Iterable[str]
) -> tuple[dict[str, list[dict[str, str]]], dict[str, dict[str, str]]]:
    """(PortBindings, ExposedPorts) of the create body."""
    bindings: dict[str, list[dict[str, str]]] = {}
    exposed: dict[str, dict[str, str]] = {}
    for value in publish:
        for port, address, host in parse_publish(value):
            bindings.setdefault(port, []).append({"HostIp": address, "HostPort": host})
            exposed[port] = {}
    for value in expose:
        if ":" in value:
            raise CliError(f"invalid port format for --expose: {value}")
        port, slash, protocol = value.partition("/")
        if slash and protocol.lower() not in _PROTOCOLS:
            raise CliError(f"invalid proto: {protocol}")
        try:
            first, last = parse_port_range(port)
        except ValueError:
            reason = f"invalid range specified for port: {port}"
            raise CliError(f"invalid range format for --expose: {value}, error: {reason}") from None
        for number in range(first, last + 1):
            exposed.setdefault(f"{number}/{protocol.lower() or 'tcp'}", {})
    return bindings, exposed
