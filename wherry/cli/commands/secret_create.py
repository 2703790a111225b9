"""`wherry secret create`."""

from __future__ import annotations

from wherry.cli.documents import create_document

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wherry.cli.options import Option, Options
    from wherry.cli.session import Session

SYNTAX = "[OPTIONS] SECRET [file|-]"
ALIASES: tuple[str, ...] = ()
OPTIONS: tuple[Option, ...] = (
    ("driver", "d", "string", "Secret driver"),
    ("label", "l", "list", "Secret labels"),
    ("template-driver", "", "string", "Template driver"),
)
ARGUMENTS = (1, 2)
DESCRIPTION = "Create a secret from a file or STDIN as content"


def run(session: Session, options: Options, operands: list[str]) -> int:
    """Stores a secret from a file or standard input."""
    return create_document(session, "secret", options, operands)
