"""`wherry commit`."""

from __future__ import annotations

from wherry.cli.reference import parse_reference

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wherry.cli.options import Option, Options
    from wherry.cli.session import Session

SYNTAX = "[OPTIONS] CONTAINER [REPOSITORY[:TAG]]"
ALIASES: tuple[str, ...] = ("container commit", "commit")
OPTIONS: tuple[Option, ...] = (
    ("author", "a", "string", 'Author (e.g., "John Hannibal Smith <hannibal@a-team.com>")'),
    ("change", "c", "list", "Apply Dockerfile instruction to the created image"),
    ("message", "m", "string", "Commit message"),
    ("pause", "p", "bool", "Pause container during commit (default true)", True),
)
ARGUMENTS = (1, 2)


def run(session: Session, options: Options, operands: list[str]) -> int:
    """Makes an image of a container and prints its digest."""
    query: dict[str, str | list[str]] = {"container": operands[0]}
    if len(operands) > 1 and operands[1]:
        reference = parse_reference(operands[1]).tagged()
        query["repo"], query["tag"] = reference.name, reference.tag
    query["comment"] = options.text("message")
    query["author"] = options.text("author")
    query["changes"] = options.items("change")
    if not options.flag("pause"):
        query["pause"] = "0"
    answer = session.client.post("/commit", query)
    session.out(f"{answer['Id']}\n")
    return 0
