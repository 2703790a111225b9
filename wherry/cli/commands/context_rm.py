"""`wherry context rm`."""

from __future__ import annotations

from wherry.client.context_store import ContextStore
from wherry.client.contexts import DEFAULT_CONTEXT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wherry.cli.options import Option, Options
    from wherry.cli.session import Session

SYNTAX = "CONTEXT [CONTEXT...]"
ALIASES: tuple[str, ...] = ("context rm", "context remove")
OPTIONS: tuple[Option, ...] = (("force", "f", "bool", "Force the removal of a context in use"),)
ARGUMENTS = (1, -1)


def run(session: Session, options: Options, operands: list[str]) -> int:
    """Removes contexts."""
    store = ContextStore(session.config.directory)
    failures = []
    for name in operands:
        if reason := _reason_to_keep(session, store, name, options.flag("force")):
            failures.append(reason)
            continue
        if name == session.config.text("currentContext"):
            del session.config.content["currentContext"]
            session.config.save()
        store.remove(name)
        session.line(name)
    return session.tell_failures(failures)


def _reason_to_keep(session: Session, store: ContextStore, name: str, force: bool) -> str:
    if name == DEFAULT_CONTEXT:
        return 'context "default" cannot be removed'
    if name == session.context and not force:
        return f'context "{name}" is in use, set -f flag to force remove'
    if not store.exists(name) and not force:
        return f'context "{name}" does not exist'
    return ""
