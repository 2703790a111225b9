"""`wherry secret ls`."""

from __future__ import annotations

from wherry.cli.documents import list_documents
from wherry.cli.option_texts import FORMAT_LIST_HELP

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wherry.cli.options import Option, Options
    from wherry.cli.session import Session

SYNTAX = "[OPTIONS]"
ALIASES: tuple[str, ...] = ("secret ls", "secret list")
OPTIONS: tuple[Option, ...] = (
    ("filter", "f", "filter", "Filter output based on conditions provided"),
    ("format", "", "string", FORMAT_LIST_HELP),
    ("quiet", "q", "bool", "Only display IDs"),
)
ARGUMENTS = (0, 0)


def run(session: Session, options: Options, operands: list[str]) -> int:
    """Lists secrets by name."""
    return list_documents(session, "secret", options)
