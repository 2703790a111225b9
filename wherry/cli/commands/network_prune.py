"""`wherry network prune`."""

from __future__ import annotations

from wherry.cli.prompt import confirm
from wherry.cli.pruning import prune_networks

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


_WARNING = (
    "WARNING! This will remove all custom networks not used by at least one container.\n"
    "Are you sure you want to continue?"
)


def run(session: Session, options: Options, operands: list[str]) -> int:
    """Removes networks that no container uses."""
    if not options.flag("force"):
        confirm(session, _WARNING)
    _, text = prune_networks(session, options.items("filter"))
    session.out(f"{text}\n" if text else "")
    return 0
