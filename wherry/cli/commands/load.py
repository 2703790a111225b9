"""`wherry load`."""

from __future__ import annotations

import os
import sys

from wherry.cli.errors import CliError
from wherry.cli.input_file import file_chunks, open_input
from wherry.cli.platforms import platform_json
from wherry.cli.progress import show_progress
from wherry.cli.transfer import Transfer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wherry.cli.options import Option, Options
    from wherry.cli.session import Session

SYNTAX = "[OPTIONS]"
ALIASES: tuple[str, ...] = ("image load", "load")
OPTIONS: tuple[Option, ...] = (
    ("input", "i", "string", "Read from tar archive file, instead of STDIN"),
    (
        "platform",
        "",
        "string",
        (
            "Load only the given platform variant. Formatted as "
            '"os[/arch[/variant]]" (e.g., "linux/amd64")'
        ),
    ),
    ("quiet", "q", "bool", "Suppress the load output"),
)
ARGUMENTS = (0, 0)


def run(session: Session, options: Options, operands: list[str]) -> int:
    """Loads images from an archive on standard input or in a file."""
    query: dict[str, str | list[str]] = {}
    path = options.text("input")
    if not path and session.is_terminal(0):
        raise CliError("requested load from stdin, but stdin is empty")
    query["quiet"] = "1" if options.flag("quiet") or not sys.stdout.isatty() else "0"
    if options.changed("platform"):
        query["platform"] = platform_json(options.text("platform"))
    descriptor = open_input(path) if path else 0
    try:
        total = os.stat(path).st_size if path else 0
        with Transfer("Sending archive", total, quiet=options.flag("quiet")) as transfer:
            content = transfer.through(file_chunks(descriptor))
            response = session.client.upload("POST", "/images/load", query, content)
        if response.headers.get("content-type", "").startswith("application/json"):
            show_progress(response)
        else:
            for data in response.chunks():
                session.write_bytes(1, data)
    finally:
        if descriptor:
            os.close(descriptor)
    return 0
