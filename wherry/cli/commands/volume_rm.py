"""`wherry volume rm`."""

from __future__ import annotations

from wherry.client.query import escape_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wherry.cli.options import Option, Options
    from wherry.cli.session import Session

SYNTAX = "[OPTIONS] VOLUME [VOLUME...]"
DESCRIPTION = (
    "Remove one or more volumes. You cannot remove a volume that is in use by a container."
)
ALIASES: tuple[str, ...] = ("volume rm", "volume remove")
OPTIONS: tuple[Option, ...] = (("force", "f", "bool", "Force the removal of one or more volumes"),)
ARGUMENTS = (1, -1)


def run(session: Session, options: Options, operands: list[str]) -> int:
    """Removes volumes."""
    query = {"force": "1"} if options.flag("force") else {}

    def remove(name: str) -> None:
        session.client.delete(f"/volumes/{escape_path(name)}", query)
        session.line(name)

    return session.for_each(operands, remove)
