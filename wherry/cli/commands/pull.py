"""`wherry pull`."""

from __future__ import annotations

from wherry.cli.errors import CliError
from wherry.cli.reference import parse_reference

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wherry.cli.options import Option, Options
    from wherry.cli.session import Session

SYNTAX = "[OPTIONS] NAME[:TAG|@DIGEST]"
ALIASES: tuple[str, ...] = ("image pull", "pull")
OPTIONS: tuple[Option, ...] = (
    ("all-tags", "a", "bool", "Download all tagged images in the repository"),
    ("disable-content-trust", "", "bool", "Skip image verification (default true)", True),
    ("platform", "", "string", "Set platform if server is multi-platform capable"),
    ("quiet", "q", "bool", "Suppress verbose output"),
)
ARGUMENTS = (1, 1)


def run(session: Session, options: Options, operands: list[str]) -> int:
    """Downloads an image and shows how far it has come."""
    from wherry.cli.pulling import pull_image

    reference = parse_reference(operands[0])
    every = options.flag("all-tags")
    if every and (reference.tag or reference.digest):
        raise CliError("tag can't be used with --all-tags/-a")
    if not every and not reference.tag and not reference.digest:
        reference = reference.tagged()
        if not options.flag("quiet"):
            session.line(f"Using default tag: {reference.tag}")
    platform = options.text("platform") or session.environment.get("DOCKER_DEFAULT_PLATFORM", "")
    pull_image(session, reference, platform=platform, quiet=options.flag("quiet"))
    session.out(f"{reference.name}{_suffix(reference.tag, reference.digest)}\n")
    return 0


def _suffix(tag: str, digest: str) -> str:
    return f"@{digest}" if digest else f":{tag}" if tag else ""
