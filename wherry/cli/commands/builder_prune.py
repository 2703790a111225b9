"""`wherry builder prune`."""

from __future__ import annotations

from wherry.cli.filters import filter_query
from wherry.cli.prompt import SURE, confirm
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
    query = filter_query(options.items("filter"))
    if every:
        query["all"] = "1"
    if options.number("keep-storage"):
        query["keep-storage"] = str(options.number("keep-storage"))
    answer = session.client.post("/build/prune", query) or {}
    if deleted := answer.get("CachesDeleted"):
        session.out("Deleted build cache objects:\n" + "".join(f"{name}\n" for name in deleted))
        session.out("\n")
    size = human_size(int(answer.get("SpaceReclaimed") or 0))
    session.out(f"Total reclaimed space: {size}\n")
    return 0
