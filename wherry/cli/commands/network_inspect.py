"""`wherry network inspect`."""

from __future__ import annotations

from wherry.cli.inspecting import inspect_each
from wherry.cli.option_texts import FORMAT_HELP
from wherry.client.query import escape_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wherry.cli.options import Option, Options
    from wherry.cli.session import Session

SYNTAX = "[OPTIONS] NETWORK [NETWORK...]"
ALIASES: tuple[str, ...] = ()
OPTIONS: tuple[Option, ...] = (
    ("format", "f", "string", FORMAT_HELP),
    ("verbose", "v", "bool", "Verbose output for diagnostics"),
)
ARGUMENTS = (1, -1)


def run(session: Session, options: Options, operands: list[str]) -> int:
    """Shows networks in full."""
    query = {"verbose": "true"} if options.flag("verbose") else {}
    return inspect_each(
        session,
        operands,
        options.text("format"),
        lambda name: session.client.get(f"/networks/{escape_path(name)}", query),
    )
