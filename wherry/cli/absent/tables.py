"""All absent commands by their words."""

from __future__ import annotations

from wherry.cli.absent.command import AbsentCommand


def absent_command(key: str) -> AbsentCommand:
    """The command with these words."""
    noun = key.partition(" ")[0]
    if noun == "plugin":
        from wherry.cli.absent.plugins import PLUGINS as rows
    elif noun == "service":
        from wherry.cli.absent.services import SERVICES as rows
    elif noun == "checkpoint":
        from wherry.cli.absent.checkpoints import CHECKPOINTS as rows
    else:
        from wherry.cli.absent.swarm import SWARM as rows
    return AbsentCommand(key, rows[key])
