"""`wherry volume inspect`."""

from __future__ import annotations

from wherry.cli.inspecting import inspect_each
from wherry.cli.option_texts import FORMAT_HELP
from wherry.client.query import escape_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wherry.cli.options import Option, Options
    from wherry.cli.session import Session

SYNTAX = "[OPTIONS] VOLUME [VOLUME...]"
ALIASES: tuple[str, ...] = ()
OPTIONS: tuple[Option, ...] = (("format", "f", "string", FORMAT_HELP),)
ARGUMENTS = (1, -1)


def run(session: Session, options: Options, operands: list[str]) -> int:
    """Shows volumes in full."""
    return inspect_each(
        session,
        operands,
        options.text("format"),
        lambda name: session.client.get(f"/volumes/{escape_path(name)}"),
    )
