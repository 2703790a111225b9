"""`wherry context import`."""

from __future__ import annotations

from wherry.cli.errors import CliError
from wherry.cli.input_file import file_chunks, open_input
from wherry.client.context_store import ContextStore, check_name, unpack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wherry.cli.options import Option, Options
    from wherry.cli.session import Session

SYNTAX = "CONTEXT FILE|-"
ALIASES: tuple[str, ...] = ()
OPTIONS: tuple[Option, ...] = ()
ARGUMENTS = (2, 2)


def run(session: Session, options: Options, operands: list[str]) -> int:
    """Stores the context of an archive under a name."""
    name, source = operands
    store = ContextStore(session.config.directory)
    check_name(name)
    if store.exists(name):
        raise CliError(f'context "{name}" already exists')
    descriptor = 0 if source == "-" else open_input(source)
    meta, tls = unpack(b"".join(file_chunks(descriptor)))
    store.save({**meta, "Name": name}, tls)
    session.line(name)
    session.warn(f'Successfully imported context "{name}"')
    return 0
