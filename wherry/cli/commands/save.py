"""`wherry save`."""

from __future__ import annotations

from wherry.cli.output_file import save_stream
from wherry.cli.platforms import platform_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wherry.cli.options import Option, Options
    from wherry.cli.session import Session

SYNTAX = "[OPTIONS] IMAGE [IMAGE...]"
ALIASES: tuple[str, ...] = ("image save", "save")
OPTIONS: tuple[Option, ...] = (
    ("output", "o", "string", "Write to a file, instead of STDOUT"),
    (
        "platform",
        "",
        "string",
        (
            "Save only the given platform variant. Formatted as "
            '"os[/arch[/variant]]" (e.g., "linux/amd64")'
        ),
    ),
)
ARGUMENTS = (1, -1)


def run(session: Session, options: Options, operands: list[str]) -> int:
    """Writes images as one archive."""
    query: dict[str, str | list[str]] = {"names": operands}
    if options.text("platform"):
        query["platform"] = platform_json(options.text("platform"))
    return save_stream(session, options.text("output"), "/images/get", query, "save")
