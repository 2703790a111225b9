"""`wherry daemon` as far as the table of commands needs it; `main` hands it to the engine."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wherry.cli.options import Option, Options
    from wherry.cli.session import Session

SYNTAX = "[OPTIONS]"
ALIASES: tuple[str, ...] = ()
OPTIONS: tuple[Option, ...] = ()
ARGUMENTS = (0, -1)
INTERSPERSED = False


def run(session: Session, options: Options, operands: list[str]) -> int:
    """Runs the engine with the options that follow."""
    from importlib import import_module

    return int(import_module("wherry.daemon.main").main(operands))
