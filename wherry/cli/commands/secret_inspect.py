"""`wherry secret inspect`."""

from __future__ import annotations

from wherry.cli.documents import inspect_documents
from wherry.cli.option_texts import FORMAT_HELP

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wherry.cli.options import Option, Options
    from wherry.cli.session import Session

SYNTAX = "[OPTIONS] SECRET [SECRET...]"
ALIASES: tuple[str, ...] = ()
OPTIONS: tuple[Option, ...] = (
    ("format", "f", "string", FORMAT_HELP),
    ("pretty", "", "bool", "Print the information in a human friendly format"),
)
ARGUMENTS = (1, -1)


def run(session: Session, options: Options, operands: list[str]) -> int:
    """Shows secrets in full."""
    return inspect_documents(session, "secret", options, operands)
