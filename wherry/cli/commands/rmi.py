"""`wherry rmi`."""

from __future__ import annotations

from wherry.cli.platforms import platform_json
from wherry.client.errors import ApiError
from wherry.client.query import escape_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wherry.cli.options import Option, Options
    from wherry.cli.session import Session

SYNTAX = "[OPTIONS] IMAGE [IMAGE...]"
ALIASES: tuple[str, ...] = ("image rm", "image remove", "rmi")
OPTIONS: tuple[Option, ...] = (
    ("force", "f", "bool", "Force removal of the image"),
    ("no-prune", "", "bool", "Do not delete untagged parents"),
    (
        "platform",
        "",
        "strings",
        (
            "Remove only the given platform variant. Formatted as "
            '"os[/arch[/variant]]" (e.g., "linux/amd64")'
        ),
    ),
)
ARGUMENTS = (1, -1)


def run(session: Session, options: Options, operands: list[str]) -> int:
    """Removes names of images, and the images that nothing names any more."""
    query: dict[str, str | list[str]] = {}
    if options.flag("force"):
        query["force"] = "1"
    if options.flag("no-prune"):
        query["noprune"] = "1"
    if options.items("platform"):
        query["platforms"] = [platform_json(text) for text in options.items("platform")]
    failures: list[str] = []
    fatal = False
    for name in operands:
        try:
            removed = session.client.delete(f"/images/{escape_path(name)}", query)
        except ApiError as error:
            fatal = fatal or error.status != 404
            failures.append(error.message)
            continue
        for entry in removed or ():
            if entry.get("Deleted"):
                session.out(f"Deleted: {entry['Deleted']}\n")
            else:
                session.out(f"Untagged: {entry.get('Untagged', '')}\n")
    code = session.tell_failures(failures)
    return 0 if options.flag("force") and not fatal else code
