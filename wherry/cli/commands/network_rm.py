"""`wherry network rm`."""

from __future__ import annotations

from wherry.cli.errors import CliError
from wherry.client.errors import ApiError
from wherry.client.query import escape_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wherry.cli.options import Option, Options
    from wherry.cli.session import Session

SYNTAX = "NETWORK [NETWORK...]"
ALIASES: tuple[str, ...] = ("network rm", "network remove")
OPTIONS: tuple[Option, ...] = (
    ("force", "f", "bool", "Do not error if the network does not exist"),
)
ARGUMENTS = (1, -1)


def run(session: Session, options: Options, operands: list[str]) -> int:
    """Removes networks."""
    code = 0
    for name in operands:
        try:
            session.client.delete(f"/networks/{escape_path(name)}")
        except ApiError as error:
            if options.flag("force") and error.status == 404:
                continue
            session.warn(error.message)
            code = 1
        else:
            session.line(name)
    if code:
        raise CliError("exit status 1", code)
    return code
