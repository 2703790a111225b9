"""`wherry top`."""

from __future__ import annotations

from wherry.cli.tabwriter import align
from wherry.client.query import escape_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wherry.cli.options import Option, Options
    from wherry.cli.session import Session

SYNTAX = "CONTAINER [ps OPTIONS]"
ALIASES: tuple[str, ...] = ("container top", "top")
OPTIONS: tuple[Option, ...] = ()
ARGUMENTS = (1, -1)


INTERSPERSED = False


def run(session: Session, options: Options, operands: list[str]) -> int:
    """Shows the processes of a container; what follows its name are options of ps."""
    query = {"ps_args": " ".join(operands[1:])} if len(operands) > 1 else {}
    answer = session.client.get(f"/containers/{escape_path(operands[0])}/top", query)
    lines = ["\t".join(row) for row in [answer["Titles"], *(answer["Processes"] or ())]]
    session.out(align("\n".join(lines), minimum=20, padding=1) + "\n")
    return 0
