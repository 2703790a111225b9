"""`wherry context show`."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wherry.cli.options import Option, Options
    from wherry.cli.session import Session

SYNTAX = ""
ALIASES: tuple[str, ...] = ()
OPTIONS: tuple[Option, ...] = ()
ARGUMENTS = (0, 0)


def run(session: Session, options: Options, operands: list[str]) -> int:
    """Names the context in use."""
    session.line(session.context)
    return 0
