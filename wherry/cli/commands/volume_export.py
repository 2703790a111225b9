"""`wherry volume export`."""

from __future__ import annotations

from wherry.cli.output_file import save_stream
from wherry.client.query import escape_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wherry.cli.options import Option, Options
    from wherry.cli.session import Session

SYNTAX = "[OPTIONS] VOLUME"
DESCRIPTION = "Export a volume's files as a tar archive. A volume in use is read as it is."
ALIASES: tuple[str, ...] = ("volume export",)
OPTIONS: tuple[Option, ...] = (("output", "o", "string", "Write to a file, instead of STDOUT"),)
ARGUMENTS = (1, 1)


def run(session: Session, options: Options, operands: list[str]) -> int:
    """Writes a volume's files as a tar stream."""
    path = f"/volumes/{escape_path(operands[0])}/export"
    return save_stream(session, options.text("output"), path, {}, "export", "volume")
