"""`wherry config create`."""

from __future__ import annotations

from wherry.cli.documents import create_document

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wherry.cli.options import Option, Options
    from wherry.cli.session import Session

SYNTAX = "[OPTIONS] CONFIG file|-"
ALIASES: tuple[str, ...] = ()
OPTIONS: tuple[Option, ...] = (
    ("label", "l", "list", "Config labels"),
    ("template-driver", "", "string", "Template driver"),
)
ARGUMENTS = (2, 2)


def run(session: Session, options: Options, operands: list[str]) -> int:
    """Stores a config from a file or standard input."""
    return create_document(session, "config", options, operands)
