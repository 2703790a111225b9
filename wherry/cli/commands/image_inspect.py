"""`wherry image inspect`."""

from __future__ import annotations

from wherry.cli.inspecting import inspect_each
from wherry.cli.option_texts import FORMAT_HELP
from wherry.cli.platforms import platform_json
from wherry.client.query import escape_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wherry.cli.options import Option, Options
    from wherry.cli.session import Session

SYNTAX = "[OPTIONS] IMAGE [IMAGE...]"
ALIASES: tuple[str, ...] = ()
OPTIONS: tuple[Option, ...] = (
    ("format", "f", "string", FORMAT_HELP),
    (
        "platform",
        "",
        "string",
        (
            "Inspect a specific platform of the multi-platform image.\n"
            "If the image or the server is not multi-platform capable, the command "
            "will error out if the platform does not match.\n"
            "'os[/arch[/variant]]': Explicit platform (eg. linux/amd64)"
        ),
    ),
)
ARGUMENTS = (1, -1)


def run(session: Session, options: Options, operands: list[str]) -> int:
    """Shows images in full."""
    query = {}
    if options.text("platform"):
        query["platform"] = platform_json(options.text("platform"))
    return inspect_each(
        session,
        operands,
        options.text("format"),
        lambda name: session.client.get(f"/images/{escape_path(name)}/json", query),
    )
