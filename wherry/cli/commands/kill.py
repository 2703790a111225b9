"""`wherry kill`."""

from __future__ import annotations

from wherry.cli.batch import post_each

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wherry.cli.options import Option, Options
    from wherry.cli.session import Session

SYNTAX = "[OPTIONS] CONTAINER [CONTAINER...]"
ALIASES: tuple[str, ...] = ("container kill", "kill")
OPTIONS: tuple[Option, ...] = (("signal", "s", "string", "Signal to send to the container"),)
ARGUMENTS = (1, -1)


def run(session: Session, options: Options, operands: list[str]) -> int:
    """Sends a signal to the containers, all at once."""
    query = {"signal": options.text("signal")} if options.text("signal") else {}
    return post_each(session, operands, "kill", query)
