"""`wherry network disconnect`."""

from __future__ import annotations

from wherry.client.query import escape_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wherry.cli.options import Option, Options
    from wherry.cli.session import Session

SYNTAX = "[OPTIONS] NETWORK CONTAINER"
ALIASES: tuple[str, ...] = ()
OPTIONS: tuple[Option, ...] = (
    ("force", "f", "bool", "Force the container to disconnect from a network"),
)
ARGUMENTS = (2, 2)


def run(session: Session, options: Options, operands: list[str]) -> int:
    """Takes a container off a network."""
    body = {"Container": operands[1], "Force": options.flag("force")}
    session.client.post(f"/networks/{escape_path(operands[0])}/disconnect", body=body)
    return 0
