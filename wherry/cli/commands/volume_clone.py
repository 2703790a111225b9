"""`wherry volume clone`."""

from __future__ import annotations

from wherry.client.query import escape_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wherry.cli.options import Option, Options
    from wherry.cli.session import Session

SYNTAX = "SOURCE VOLUME"
DESCRIPTION = (
    "Make a new volume with the files and labels of another. Blocks are shared where the file "
    "system can."
)
ALIASES: tuple[str, ...] = ("volume clone",)
OPTIONS: tuple[Option, ...] = ()
ARGUMENTS = (2, 2)


def run(session: Session, options: Options, operands: list[str]) -> int:
    """Copies a volume on the engine and prints the new one's name."""
    source, name = operands
    answer = session.client.post(f"/volumes/{escape_path(source)}/clone", {"name": name})
    session.line(answer["Name"])
    return 0
