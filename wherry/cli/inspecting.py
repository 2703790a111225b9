"""Objects in full: as JSON, or through a template."""

from __future__ import annotations

from wherry.cli.errors import CliError
from wherry.client.errors import ClientError
from wherry.client.json_text import dumps, escape_html, indent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from wherry.cli.session import Session


def inspect_each(
    session: Session,
    names: Sequence[str],
    template: str,
    find: Callable[[str], Any],
    own: bool = False,
) -> int:
    """Prints what `find` gives for each name; failures are told after it, and the code is 1.

    What is the command line's `own` has HTML escaped; what the engine sent stays as it is.
    """
    escape = escape_html if own else str
    show = _templated(template) if template not in ("", "json") else None
    found: list[Any] = []
    failures: list[str] = []
    for name in names:
        try:
            found.append(show(find(name)) if show else find(name))
        except ClientError as error:
            failures.append(error.message)
    if show:
        session.out("".join(f"{text}\n" for text in found) or "\n")
    elif template == "json":
        session.out(f"{escape(dumps(found))}\n")
    else:
        session.out(f"{escape(indent(found))}\n")
    return session.tell_failures(failures)


def _templated(source: str) -> Callable[[Any], str]:
    from wherry.cli.template import Template
    from wherry.cli.template_values import as_go, as_raw

    try:
        template = Template(source)
    except CliError as error:
        raise CliError(error.message, 64) from error

    def show(value: Any) -> str:
        try:
            return template.execute(as_go(value))
        except CliError:
            pass  # docker tries once more without the types that it knows
        try:
            return template.execute(as_raw(value))
        except CliError as error:
            raise CliError(f"template parsing error: {error.message}") from error

    return show
