"""`wherry image prune`."""

from __future__ import annotations

from wherry.cli.prompt import confirm
from wherry.cli.pruning import prune_images
from wherry.cli.units import human_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wherry.cli.options import Option, Options
    from wherry.cli.session import Session

SYNTAX = "[OPTIONS]"
ALIASES: tuple[str, ...] = ()
OPTIONS: tuple[Option, ...] = (
    ("all", "a", "bool", "Remove all unused images, not just dangling ones"),
    ("filter", "", "filter", 'Provide filter values (e.g. "until=<timestamp>")'),
    ("force", "f", "bool", "Do not prompt for confirmation"),
)
ARGUMENTS = (0, 0)


_ALL = "WARNING! This will remove all images without at least one container associated to them."
_DANGLING = "WARNING! This will remove all dangling images."


def run(session: Session, options: Options, operands: list[str]) -> int:
    """Removes images that nothing needs."""
    every = options.flag("all")
    if not options.flag("force"):
        question = f"{_ALL if every else _DANGLING}\nAre you sure you want to continue?"
        confirm(session, question)
    space, text = prune_images(session, options.items("filter"), every)
    session.out(f"{text}\n" if text else "")
    session.out(f"Total reclaimed space: {human_size(space)}\n")
    return 0
