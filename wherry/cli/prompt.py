"""Questions before something is removed."""

from __future__ import annotations

import sys

from wherry.cli.errors import CliError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wherry.cli.session import Session


SURE = "Are you sure you want to continue?"


def interrupted() -> CliError:
    """What ends a command whose question was answered with ctrl-c: no error, as in docker."""
    sys.stdout.write("\n")
    return CliError("", 0)


def confirm(session: Session, question: str) -> None:
    """Asks; anything but yes ends the command, quietly and without an error."""
    try:
        sys.stdout.write(f"{question} [y/N] ")
        sys.stdout.flush()
        answer = sys.stdin.readline().strip().lower()
    except KeyboardInterrupt:
        raise interrupted() from None
    if answer != "y":
        raise CliError("", 0)
