"""`wherry restart`."""

from __future__ import annotations

from wherry.cli.batch import post_each, stop_query

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wherry.cli.options import Option, Options
    from wherry.cli.session import Session

SYNTAX = "[OPTIONS] CONTAINER [CONTAINER...]"
ALIASES: tuple[str, ...] = ("container restart", "restart")
OPTIONS: tuple[Option, ...] = (
    ("signal", "s", "string", "Signal to send to the container"),
    ("timeout", "t", "int", "Seconds to wait before killing the container"),
    ("time", "", "int", ""),
)
OPTION_ALIASES = {"time": "timeout"}
ARGUMENTS = (1, -1)


def run(session: Session, options: Options, operands: list[str]) -> int:
    """Ends the containers and starts them again, all at once."""
    return post_each(session, operands, "restart", stop_query(options))
