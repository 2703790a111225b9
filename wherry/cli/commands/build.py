"""`wherry build`, where no buildx was found that would do it."""

from __future__ import annotations

from wherry.cli.errors import CliError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wherry.cli.options import Option, Options
    from wherry.cli.session import Session

SYNTAX = "[OPTIONS] PATH | URL | -"
ALIASES: tuple[str, ...] = ("image build", "builder build", "build", "buildx build")
OPTIONS: tuple[Option, ...] = ()
ARGUMENTS = (0, -1)
UNREAD = True
"""The words are the plugin's: nothing is read here."""


def run(session: Session, options: Options, operands: list[str]) -> int:
    """Names the remedy."""
    raise CliError(
        "ERROR: BuildKit is enabled but the buildx component is missing or broken.\n"
        "       Install the buildx component to build images with BuildKit:\n"
        "       https://docs.docker.com/go/buildx/"
    )
