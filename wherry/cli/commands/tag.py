"""`wherry tag`."""

from __future__ import annotations

from wherry.cli.errors import CliError
from wherry.cli.reference import parse_reference
from wherry.client.query import escape_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wherry.cli.options import Option, Options
    from wherry.cli.session import Session

SYNTAX = "SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]"
ALIASES: tuple[str, ...] = ("image tag", "tag")
OPTIONS: tuple[Option, ...] = ()
ARGUMENTS = (2, 2)


def run(session: Session, options: Options, operands: list[str]) -> int:
    """Gives an image another name."""
    source, target = operands
    try:
        reference = parse_reference(target)
    except CliError as error:
        raise CliError(
            f'Error parsing reference: "{target}" is not a valid repository/tag: {error.message}'
        ) from error
    if reference.digest:
        raise CliError("refusing to create a tag with a digest reference")
    query = {"repo": reference.name, "tag": reference.tagged().tag}
    session.client.post(f"/images/{escape_path(source)}/tag", query)
    return 0
