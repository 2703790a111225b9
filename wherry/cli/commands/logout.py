"""`wherry logout`."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wherry.cli.options import Option, Options
    from wherry.cli.session import Session

SYNTAX = "[SERVER]"
DESCRIPTION = (
    "Log out from a registry.\nIf no server is specified, the default is defined by the daemon."
)
ALIASES: tuple[str, ...] = ()
OPTIONS: tuple[Option, ...] = ()
ARGUMENTS = (0, 1)


def run(session: Session, options: Options, operands: list[str]) -> int:
    """Forgets a registry's credentials."""
    from wherry.client import credentials
    from wherry.client.errors import ClientError

    server = operands[0] if operands else credentials.INDEX_SERVER
    shown = server
    if operands:
        shown = server.removeprefix("https://").removeprefix("http://").split("/", 1)[0]
    session.line(f"Removing login credentials for {shown}")
    try:
        credentials.erase(session.config, server)
    except ClientError as error:
        session.warn(f"WARNING: could not erase credentials:\n{shown}: {error.message}")
    return 0
