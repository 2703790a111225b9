"""`wherry unpause`."""

from __future__ import annotations

from wherry.cli.batch import post_each

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wherry.cli.options import Option, Options
    from wherry.cli.session import Session

SYNTAX = "CONTAINER [CONTAINER...]"
ALIASES: tuple[str, ...] = ("container unpause", "unpause")
OPTIONS: tuple[Option, ...] = ()
ARGUMENTS = (1, -1)


def run(session: Session, options: Options, operands: list[str]) -> int:
    """Lets the containers go on, all at once."""
    return post_each(session, operands, "unpause", {})
