"""`wherry context export`."""

from __future__ import annotations

from wherry.cli.errors import CliError
from wherry.client.context_store import ContextStore, check_name, pack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wherry.cli.options import Option, Options
    from wherry.cli.session import Session

SYNTAX = "[OPTIONS] CONTEXT [FILE|-]"
ALIASES: tuple[str, ...] = ()
OPTIONS: tuple[Option, ...] = ()
ARGUMENTS = (1, 2)


def run(session: Session, options: Options, operands: list[str]) -> int:
    """Writes a context and its TLS files to an archive."""
    name = operands[0]
    check_name(name)
    data = pack(ContextStore(session.config.directory), name)
    target = operands[1] if len(operands) > 1 else f"{name}.dockercontext"
    if target == "-":
        if session.is_terminal(1):
            raise CliError("cowardly refusing to export to a terminal, specify a file path")
        session.write_bytes(1, data)
        return 0
    try:
        with open(target, "xb") as file:
            file.write(data)
    except OSError as error:
        raise CliError(f"open {target}: {(error.strerror or '').lower()}") from error
    session.warn(f'Written file "{target}"')
    return 0
