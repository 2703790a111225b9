"""`wherry port`."""

from __future__ import annotations

from wherry.cli.errors import CliError
from wherry.cli.sorting import natural_key
from wherry.cli.values import quoted
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
            raise CliError(
                f"Error: invalid port ({port}): strconv.ParseUint: parsing {quoted(port)}: "
                "invalid syntax"
            )
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
    for line in sorted(lines, key=natural_key):
        session.out(f"{line}\n")
    return 0


def _host(binding: dict[str, str]) -> str:
    address = binding["HostIp"]
    return f"{f'[{address}]' if ':' in address else address}:{binding['HostPort']}"
