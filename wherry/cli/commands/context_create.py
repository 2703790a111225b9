"""`wherry context create`."""

from __future__ import annotations

from wherry.cli.context_endpoint import (
    DESCRIPTION_OF_DEFAULT,
    ENDPOINT_HELP,
    default_context,
    parse_endpoint,
)
from wherry.cli.errors import CliError
from wherry.client.context_store import ContextStore, check_name
from wherry.client.contexts import DEFAULT_CONTEXT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wherry.cli.options import Option, Options
    from wherry.cli.session import Session

SYNTAX = "[OPTIONS] CONTEXT"
ALIASES: tuple[str, ...] = ()
OPTIONS: tuple[Option, ...] = (
    ("description", "", "string", "Description of the context"),
    ("docker", "", "stringToString", "set the docker endpoint (default [])"),
    ("from", "", "string", "create context from a named context"),
)
ARGUMENTS = (1, 1)
DESCRIPTION = (
    f"Create a context\n{ENDPOINT_HELP}wherry context create my-context "
    '--description "some description" --docker '
    '"host=tcp://myserver:2376,ca=~/ca-file,cert=~/cert-file,key=~/key-file"'
)


def run(session: Session, options: Options, operands: list[str]) -> int:
    """Stores a context: an endpoint given, that of another context, or the one in use."""
    name = operands[0]
    store = ContextStore(session.config.directory)
    endpoint = options.items("docker")
    source = options.text("from")
    check_name(name)
    if store.exists(name):
        raise CliError(f'context "{name}" already exists')
    if endpoint and source:
        raise CliError("cannot use --docker flag when --from is set")
    metadata = {}
    tls: dict[str, bytes] = {}
    if endpoint:
        docker, tls = parse_endpoint(session, store, endpoint)
        endpoints = {"docker": docker}
    else:
        source = source or session.context
        if source == DEFAULT_CONTEXT:
            endpoints = default_context(session)["Endpoints"]
            metadata["Description"] = DESCRIPTION_OF_DEFAULT
        else:
            meta = store.load(source)
            endpoints, tls = meta["Endpoints"], store.tls_data(source)
            metadata = dict(meta.get("Metadata") or {})
    if options.text("description"):
        metadata["Description"] = options.text("description")
    store.save({"Name": name, "Metadata": metadata, "Endpoints": endpoints}, tls)
    session.line(name)
    session.warn(f'Successfully created context "{name}"')
    return 0
