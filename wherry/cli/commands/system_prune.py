"""`wherry system prune`."""

from __future__ import annotations

from wherry.cli.prompt import confirm
from wherry.cli.pruning import (
    prune_build_cache,
    prune_containers,
    prune_images,
    prune_networks,
    prune_volumes,
)
from wherry.cli.units import human_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wherry.cli.options import Option, Options
    from wherry.cli.session import Session

SYNTAX = "[OPTIONS]"
ALIASES: tuple[str, ...] = ()
OPTIONS: tuple[Option, ...] = (
    ("all", "a", "bool", "Remove all unused images not just dangling ones"),
    ("filter", "", "filter", 'Provide filter values (e.g. "label=<key>=<value>")'),
    ("force", "f", "bool", "Do not prompt for confirmation"),
    ("volumes", "", "bool", "Prune anonymous volumes"),
)
ARGUMENTS = (0, 0)


def _question(options: Options) -> str:
    lines = ["all stopped containers", "all networks not used by at least one container"]
    if options.flag("volumes"):
        lines.append("all anonymous volumes not used by at least one container")
    if options.flag("all"):
        lines.append("all images without at least one container associated to them")
    else:
        lines.append("all dangling images")
    lines.append("unused build cache")
    text = "WARNING! This will remove:\n" + "".join(f"  - {line}\n" for line in lines)
    filters = sorted(options.items("filter"))
    if filters:
        text += "\n  Items to be pruned will be filtered with:\n"
        text += "".join(f"  - {line}\n" for line in filters)
    return f"{text}\nAre you sure you want to continue?"


def run(session: Session, options: Options, operands: list[str]) -> int:
    """Removes what nothing uses: containers, networks, volumes if asked for, images."""
    if not options.flag("force"):
        confirm(session, _question(options))
    filters = options.items("filter")
    results = [prune_containers(session, filters), prune_networks(session, filters)]
    if options.flag("volumes"):
        results.append(prune_volumes(session, filters, False))
    every = options.flag("all")
    results.append(prune_images(session, filters, every))
    if session.client.version_key >= (1, 31):
        results.append(prune_build_cache(session, filters, every))
    for _, text in results:
        session.out(f"{text}\n" if text else "")
    session.out(f"Total reclaimed space: {human_size(sum(space for space, _ in results))}\n")
    return 0
