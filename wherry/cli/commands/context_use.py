"""`wherry context use`."""

from __future__ import annotations

from wherry.client.context_store import ContextStore, check_name
from wherry.client.contexts import DEFAULT_CONTEXT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wherry.cli.options import Option, Options
    from wherry.cli.session import Session

SYNTAX = "CONTEXT"
ALIASES: tuple[str, ...] = ()
OPTIONS: tuple[Option, ...] = ()
ARGUMENTS = (1, 1)


def run(session: Session, options: Options, operands: list[str]) -> int:
    """Makes a context the one in use."""
    name = operands[0]
    if name != DEFAULT_CONTEXT:
        check_name(name)
        ContextStore(session.config.directory).load(name)
    if session.config.text("currentContext") != name and (
        name != DEFAULT_CONTEXT or session.config.text("currentContext")
    ):
        session.config.content["currentContext"] = name
        if name == DEFAULT_CONTEXT:
            del session.config.content["currentContext"]
        session.config.save()
    session.line(name)
    session.warn(f'Current context is now "{name}"')
    if name != DEFAULT_CONTEXT and session.environment.get("DOCKER_HOST"):
        session.warn(
            "Warning: DOCKER_HOST environment variable overrides the active context. To use "
            f'"{name}", either set the global --context flag, or unset DOCKER_HOST environment '
            "variable."
        )
    return 0
