"""`wherry stop`."""

from __future__ import annotations

from wherry.cli.batch import post_each, stop_query

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wherry.cli.options import Option, Options
    from wherry.cli.session import Session

SYNTAX = "[OPTIONS] CONTAINER [CONTAINER...]"
ALIASES: tuple[str, ...] = ("container stop", "stop")
OPTIONS: tuple[Option, ...] = (
    ("signal", "s", "string", "Signal to send to the container"),
    ("timeout", "t", "int", "Seconds to wait before killing the container"),
    ("time", "", "int", ""),
)
OPTION_ALIASES = {"time": "timeout"}
ARGUMENTS = (1, -1)


def run(session: Session, options: Options, operands: list[str]) -> int:
    """Asks the containers to end, all at once."""
    return post_each(session, operands, "stop", stop_query(options))
