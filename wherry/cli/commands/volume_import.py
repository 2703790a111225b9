"""`wherry volume import`."""

from __future__ import annotations

import os

from wherry.cli.input_file import file_chunks, open_input
from wherry.client.query import escape_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wherry.cli.options import Option, Options
    from wherry.cli.session import Session

SYNTAX = "VOLUME [FILE|-]"
DESCRIPTION = (
    "Make a volume, or fill an empty one, from a tar archive (plain, gzip or zstd). Without a "
    "file the archive is read from STDIN."
)
ALIASES: tuple[str, ...] = ("volume import",)
OPTIONS: tuple[Option, ...] = ()
ARGUMENTS = (1, 2)


def run(session: Session, options: Options, operands: list[str]) -> int:
    """Uploads the archive and prints the volume's name."""
    name, source = operands[0], operands[1] if len(operands) > 1 else "-"
    descriptor = open_input(source) if source != "-" else 0
    try:
        path = f"/volumes/{escape_path(name)}/import"
        response = session.client.upload("POST", path, {}, file_chunks(descriptor))
        session.line(session.client.decoded(response)["Name"])
    finally:
        if descriptor:
            os.close(descriptor)
    return 0
