"""`wherry diff`."""

from __future__ import annotations

from wherry.client.query import escape_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wherry.cli.options import Option, Options
    from wherry.cli.session import Session

SYNTAX = "CONTAINER"
ALIASES: tuple[str, ...] = ("container diff", "diff")
OPTIONS: tuple[Option, ...] = ()
ARGUMENTS = (1, 1)


_KINDS = {0: "C", 1: "A", 2: "D"}


def run(session: Session, options: Options, operands: list[str]) -> int:
    """Shows what a container changed in its file system."""
    changes = session.client.get(f"/containers/{escape_path(operands[0])}/changes")
    for change in changes or ():
        session.out(f"{_KINDS[change['Kind']]} {change['Path']}\n")
    return 0
