"""`wherry container prune`."""

from __future__ import annotations

from wherry.cli.prompt import confirm
from wherry.cli.pruning import prune_containers
from wherry.cli.units import human_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wherry.cli.options import Option, Options
    from wherry.cli.session import Session

SYNTAX = "[OPTIONS]"
ALIASES: tuple[str, ...] = ()
OPTIONS: tuple[Option, ...] = (
    ("filter", "", "filter", 'Provide filter values (e.g. "until=<timestamp>")'),
    ("force", "f", "bool", "Do not prompt for confirmation"),
)
ARGUMENTS = (0, 0)


_WARNING = "WARNING! This will remove all stopped containers.\nAre you sure you want to continue?"


def run(session: Session, options: Options, operands: list[str]) -> int:
    """Removes all stopped containers."""
    if not options.flag("force"):
        confirm(session, _WARNING)
    space, text = prune_containers(session, options.items("filter"))
    session.out(f"{text}\n" if text else "")
    session.out(f"Total reclaimed space: {human_size(space)}\n")
    return 0
