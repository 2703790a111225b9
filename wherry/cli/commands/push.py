"""`wherry push`."""

from __future__ import annotations

from wherry.cli.errors import CliError
from wherry.cli.platforms import platform_json
from wherry.cli.progress import drain, show_progress
from wherry.cli.reference import parse_reference
from wherry.client.query import escape_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wherry.cli.options import Option, Options
    from wherry.cli.session import Session

SYNTAX = "[OPTIONS] NAME[:TAG]"
ALIASES: tuple[str, ...] = ("image push", "push")
OPTIONS: tuple[Option, ...] = (
    ("all-tags", "a", "bool", "Push all tags of an image to the repository"),
    ("disable-content-trust", "", "bool", "Skip image signing (default true)", True),
    (
        "platform",
        "",
        "string",
        (
            "Push a platform-specific manifest as a single-platform image to the "
            "registry.\n"
            "Image index won't be pushed, meaning that other manifests, including "
            "attestations won't be preserved.\n"
            "'os[/arch[/variant]]': Explicit platform (eg. linux/amd64)"
        ),
    ),
    ("quiet", "q", "bool", "Suppress verbose output"),
)
ARGUMENTS = (1, 1)

_PLATFORM_NOTE = (
    "\n Info -> Using --platform pushes only the specified platform manifest of a multi-platform "
    "image index.\n"
    "         Other components, like attestations, will not be included.\n"
    "         To push the complete multi-platform image, remove the --platform flag.\n"
    "         \n"
)


def run(session: Session, options: Options, operands: list[str]) -> int:
    """Uploads an image and shows how far it has come."""
    from wherry.cli.pulling import registry_header

    reference = parse_reference(operands[0])
    every = options.flag("all-tags")
    if every and reference.tag:
        raise CliError("tag can't be used with --all-tags/-a")
    if options.text("platform"):
        session.out(_PLATFORM_NOTE)
    query: dict[str, str | list[str]] = {}
    if not every:
        if not reference.tag and not reference.digest:
            reference = reference.tagged()
            if not options.flag("quiet"):
                session.line(f"Using default tag: {reference.tag}")
        query["tag"] = reference.tag
    if options.text("platform"):
        query["platform"] = platform_json(options.text("platform"))
    path = f"/images/{escape_path(reference.name)}/push"
    header = {"X-Registry-Auth": registry_header(session, reference)}
    response = session.client.request("POST", path, query, headers=header)
    if options.flag("quiet"):
        drain(response)
        session.out(f"{reference.familiar}\n")
    else:
        show_progress(response)
    return 0
