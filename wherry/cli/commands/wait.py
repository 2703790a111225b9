"""`wherry wait`."""

from __future__ import annotations

from wherry.cli.errors import CliError
from wherry.client.query import escape_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wherry.cli.options import Option, Options
    from wherry.cli.session import Session

SYNTAX = "CONTAINER [CONTAINER...]"
ALIASES: tuple[str, ...] = ("container wait", "wait")
OPTIONS: tuple[Option, ...] = ()
ARGUMENTS = (1, -1)


def run(session: Session, options: Options, operands: list[str]) -> int:
    """Prints the exit code of each container once it has one."""

    def wait(name: str) -> None:
        answer = session.client.post(f"/containers/{escape_path(name)}/wait")
        if (answer.get("Error") or {}).get("Message"):
            raise CliError(str(answer["Error"]["Message"]))
        session.line(str(answer["StatusCode"]))

    return session.for_each(operands, wait)
