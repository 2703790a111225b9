"""`wherry create`."""

from __future__ import annotations

from wherry.cli.creation.create import check_pull_policy, create_container, request_body
from wherry.cli.creation.options import CONTAINER_OPTION_ALIASES, CONTAINER_OPTIONS
from wherry.cli.errors import CliError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wherry.cli.options import Option, Options
    from wherry.cli.session import Session

SYNTAX = "[OPTIONS] IMAGE [COMMAND] [ARG...]"
ALIASES = ("container create", "create")
OPTIONS: tuple[Option, ...] = (
    *CONTAINER_OPTIONS,
    (
        "pull",
        "",
        "string",
        'Pull image before creating ("always", "missing", "never") (default "missing")',
        "missing",
    ),
)
OPTION_ALIASES = CONTAINER_OPTION_ALIASES
ARGUMENTS = (1, -1)
INTERSPERSED = False


def run(session: Session, options: Options, operands: list[str]) -> int:
    """Creates a container and prints its ID."""
    try:
        check_pull_policy(options.text("pull"))
        body = request_body(session, options, operands)
    except CliError as error:
        from wherry.cli.attachment import with_help

        raise CliError(with_help(error.message, session.path), 125) from error
    session.out(f"{create_container(session, options, body)}\n")
    return 0
