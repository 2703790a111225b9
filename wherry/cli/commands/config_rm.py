"""`wherry config rm`."""

from __future__ import annotations

from wherry.cli.documents import remove_documents

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wherry.cli.options import Option, Options
    from wherry.cli.session import Session

SYNTAX = "CONFIG [CONFIG...]"
ALIASES: tuple[str, ...] = ("config rm", "config remove")
OPTIONS: tuple[Option, ...] = ()
ARGUMENTS = (1, -1)


def run(session: Session, options: Options, operands: list[str]) -> int:
    """Removes configs."""
    return remove_documents(session, "config", operands)
