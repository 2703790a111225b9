"""`wherry builder prune`."""

from __future__ import annotations

from wherry.cli.prompt import SURE, confirm
from wherry.cli.pruning import prune_build_cache
from wherry.cli.units import human_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wherry.cli.options import Option, Options
    from wherry.cli.session import Session

SYNTAX = ""
ALIASES: tuple[str, ...] = ()
OPTIONS: tuple[Option, ...] = (
    ("all", "a", "bool", "Remove all unused build cache, not just dangling ones"),
    ("filter", "", "filter", 'Provide filter values (e.g. "until=24h")'),
    ("force", "f", "bool", "Do not prompt for confirmation"),
    ("keep-storage", "", "bytes", "Amount of disk space to keep for cache"),
)
ARGUMENTS = (0, 0)


def run(session: Session, options: Options, operands: list[str]) -> int:
    """Removes what builds left behind."""
    every = options.flag("all")
    if not options.flag("force"):
        kind = "all" if every else "all dangling"
        confirm(session, f"WARNING! This will remove {kind} build cache. {SURE}")
    reclaimed, text = prune_build_cache(
        session, options.items("filter"), every, options.number("keep-storage")
    )
    session.out(f"{text}\n" if text else "")
    session.out(f"Total reclaimed space: {human_size(reclaimed)}\n")
    return 0
