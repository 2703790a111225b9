"""`wherry port`."""

from __future__ import annotations

from wherry.cli.errors import CliError
from wherry.client.query import escape_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wherry.cli.options import Option, Options
    from wherry.cli.session import Session

SYNTAX = "CONTAINER [PRIVATE_PORT[/PROTO]]"
ALIASES: tuple[str, ...] = ("container port", "port")
OPTIONS: tuple[Option, ...] = ()
ARGUMENTS = (1, 2)


def run(session: Session, options: Options, operands: list[str]) -> int:
    """Shows where a container's ports are published."""
    container = session.client.get(f"/containers/{escape_path(operands[0])}/json")
    ports = (container.get("NetworkSettings") or {}).get("Ports") or {}
    if len(operands) == 2:
        port, _, protocol = operands[1].partition("/")
        if not port.isdigit():
            raise CliError(f"Error: invalid port ({port}): invalid syntax")
        bindings = ports.get(f"{port}/{protocol or 'tcp'}") or ()
        if not bindings:
            raise CliError(f"Error: No public port '{operands[1]}' published for {operands[0]}")
        lines = [_host(binding) for binding in bindings]
    else:
        lines = [
            f"{port} -> {_host(binding)}"
            for port, bindings in ports.items()
            for binding in bindings or ()
        ]
    for line in sorted(lines, key=_natural):
        session.out(f"{line}\n")
    return 0


def _host(binding: dict[str, str]) -> str:
    address = binding["HostIp"]
    return f"{f'[{address}]' if ':' in address else address}:{binding['HostPort']}"


def _natural(text: str) -> list[tuple[int, int, str]]:
    """A sort key under which numbers count by their value."""
    key: list[tuple[int, int, str]] = []
    digits = ""
    for mark in text:
        if mark.isdigit():
            digits += mark
            continue
        if digits:
            key.append((0, int(digits), ""))
            digits = ""
        key.append((1, 0, mark))
    if digits:
        key.append((0, int(digits), ""))
    return key
