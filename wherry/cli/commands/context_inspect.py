"""`wherry context inspect`."""

from __future__ import annotations

from wherry.cli.context_endpoint import default_context
from wherry.cli.inspecting import inspect_each
from wherry.cli.option_texts import FORMAT_HELP
from wherry.client.context_store import ContextStore, inspected
from wherry.client.contexts import DEFAULT_CONTEXT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wherry.cli.options import Option, Options
    from wherry.cli.session import Session

SYNTAX = "[OPTIONS] [CONTEXT] [CONTEXT...]"
ALIASES: tuple[str, ...] = ()
OPTIONS: tuple[Option, ...] = (("format", "f", "string", FORMAT_HELP),)
ARGUMENTS = (0, -1)


def run(session: Session, options: Options, operands: list[str]) -> int:
    """Shows contexts in full, the one in use where none is named."""
    store = ContextStore(session.config.directory)

    def find(name: str) -> object:
        if name == DEFAULT_CONTEXT:
            return inspected(None, default_context(session))
        return inspected(store, store.load(name))

    return inspect_each(
        session, operands or [session.context], options.text("format"), find, own=True
    )
