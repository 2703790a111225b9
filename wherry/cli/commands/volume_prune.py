"""`wherry volume prune`."""

from __future__ import annotations

from wherry.cli.prompt import confirm
from wherry.cli.pruning import prune_volumes
from wherry.cli.units import human_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wherry.cli.options import Option, Options
    from wherry.cli.session import Session

SYNTAX = "[OPTIONS]"
ALIASES: tuple[str, ...] = ()
OPTIONS: tuple[Option, ...] = (
    ("all", "a", "bool", "Remove all unused volumes, not just anonymous ones"),
    ("filter", "", "filter", 'Provide filter values (e.g. "label=<label>")'),
    ("force", "f", "bool", "Do not prompt for confirmation"),
)
ARGUMENTS = (0, 0)


_ANONYMOUS = (
    "WARNING! This will remove anonymous local volumes not used by at least one container.\n"
    "Are you sure you want to continue?"
)
_ALL = (
    "WARNING! This will remove all local volumes not used by at least one container.\n"
    "Are you sure you want to continue?"
)


def run(session: Session, options: Options, operands: list[str]) -> int:
    """Removes volumes that no container uses."""
    every = options.flag("all")
    old = session.client.version_key < (1, 42)
    if not options.flag("force"):
        confirm(session, _ALL if every or old else _ANONYMOUS)
    space, text = prune_volumes(session, options.items("filter"), every)
    session.out(f"{text}\n" if text else "")
    session.out(f"Total reclaimed space: {human_size(space)}\n")
    return 0
