"""`wherry completion bash`, `fish`, `zsh`."""

from __future__ import annotations

from wherry.cli.completion_scripts import SCRIPTS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wherry.cli.options import Option, Options
    from wherry.cli.session import Session

SYNTAX = ""
ALIASES: tuple[str, ...] = ()
OPTIONS: tuple[Option, ...] = (("no-descriptions", "", "bool", "disable completion descriptions"),)
ARGUMENTS = (0, 0)


def run(session: Session, options: Options, operands: list[str]) -> int:
    """Prints the script to be read by the shell."""
    script = SCRIPTS[session.path.rpartition(" ")[2]]
    if options.flag("no-descriptions"):
        script = script.replace("__complete ", "__completeNoDesc ")
    session.out(script)
    return 0
