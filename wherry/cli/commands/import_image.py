"""`wherry import`."""

from __future__ import annotations

import os

from wherry.cli.input_file import file_chunks, open_input
from wherry.cli.progress import show_progress
from wherry.cli.reference import parse_reference

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wherry.cli.options import Option, Options
    from wherry.cli.session import Session

SYNTAX = "[OPTIONS] file|URL|- [REPOSITORY[:TAG]]"
ALIASES: tuple[str, ...] = ("image import", "import")
OPTIONS: tuple[Option, ...] = (
    ("change", "c", "list", "Apply Dockerfile instruction to the created image"),
    ("message", "m", "string", "Set commit message for imported image"),
    ("platform", "", "string", "Set platform if server is multi-platform capable"),
)
ARGUMENTS = (1, -1)


def run(session: Session, options: Options, operands: list[str]) -> int:
    """Makes an image of a root file system in a tar archive."""
    source = operands[0]
    query: dict[str, str | list[str]] = {}
    remote = source.startswith(("http://", "https://"))
    query["fromSrc"] = source if remote else "-"
    if len(operands) > 1 and operands[1]:
        parse_reference(operands[1])
        query["repo"] = operands[1]
    query["message"] = options.text("message")
    query["changes"] = options.items("change")
    if options.text("platform"):
        query["platform"] = options.text("platform").lower()
    if remote:
        show_progress(session.client.request("POST", "/images/create", query))
        return 0
    descriptor = open_input(source) if source != "-" else 0
    try:
        content = file_chunks(descriptor)
        show_progress(session.client.upload("POST", "/images/create", query, content))
    finally:
        if descriptor:
            os.close(descriptor)
    return 0
