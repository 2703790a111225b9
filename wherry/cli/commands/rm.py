"""`wherry rm`."""

from __future__ import annotations

from wherry.cli.batch import begin_each, finish_each
from wherry.cli.errors import CliError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wherry.cli.options import Option, Options
    from wherry.cli.session import Session

SYNTAX = "[OPTIONS] CONTAINER [CONTAINER...]"
ALIASES: tuple[str, ...] = ("container rm", "container remove", "rm")
OPTIONS: tuple[Option, ...] = (
    ("force", "f", "bool", "Force the removal of a running container (uses SIGKILL)"),
    ("link", "l", "bool", "Remove the specified link"),
    ("volumes", "v", "bool", "Remove anonymous volumes associated with the container"),
)
ARGUMENTS = (1, -1)


def run(session: Session, options: Options, operands: list[str]) -> int:
    """Removes the containers, all at once."""
    query = {
        name: "1"
        for name, option in (("force", "force"), ("link", "link"), ("v", "volumes"))
        if options.flag(option)
    }
    names = [name.strip("/") for name in operands]
    if not all(names):
        raise CliError("container name cannot be empty")
    pending = begin_each(session, "DELETE", [f"/containers/{name}" for name in names], query)
    return finish_each(session, operands, pending, missing_is_fine=options.flag("force"))
