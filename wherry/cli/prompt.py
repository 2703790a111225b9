"""Questions before something is removed."""

from __future__ import annotations

import sys

from wherry.cli.errors import CliError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wherry.cli.session import Session


SURE = "Are you sure you want to continue?"


def confirm(session: Session, question: str) -> None:
    """Asks; anything but yes ends the command, quietly and without an error."""
    sys.stdout.write(f"{question} [y/N] ")
    sys.stdout.flush()
    answer = sys.stdin.readline().strip().lower()
    if answer != "y":
        raise CliError("", 0)
