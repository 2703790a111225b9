"""`wherry secret rm`."""

from __future__ import annotations

from wherry.cli.documents import remove_documents

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wherry.cli.options import Option, Options
    from wherry.cli.session import Session

SYNTAX = "SECRET [SECRET...]"
ALIASES: tuple[str, ...] = ("secret rm", "secret remove")
OPTIONS: tuple[Option, ...] = ()
ARGUMENTS = (1, -1)


def run(session: Session, options: Options, operands: list[str]) -> int:
    """Removes secrets."""
    return remove_documents(session, "secret", operands)
