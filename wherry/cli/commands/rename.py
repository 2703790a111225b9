"""`wherry rename`."""

from __future__ import annotations

from wherry.cli.errors import CliError
from wherry.client.errors import ClientError
from wherry.client.query import escape_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wherry.cli.options import Option, Options
    from wherry.cli.session import Session

SYNTAX = "CONTAINER NEW_NAME"
ALIASES: tuple[str, ...] = ("container rename", "rename")
OPTIONS: tuple[Option, ...] = ()
ARGUMENTS = (2, 2)


def run(session: Session, options: Options, operands: list[str]) -> int:
    """Gives a container another name."""
    old, new = (name.strip() for name in operands)
    if not old or not new:
        raise CliError("Error: Neither old nor new names may be empty")
    try:
        session.client.post(f"/containers/{escape_path(old)}/rename", {"name": new})
    except ClientError as error:
        reason = f"Error: failed to rename container named {old}"
        raise CliError(f"{error.message}\n{reason}") from error
    return 0
