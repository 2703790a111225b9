"""`wherry context update`."""

from __future__ import annotations

from wherry.cli.context_endpoint import ENDPOINT_HELP, parse_endpoint
from wherry.client.context_store import ContextStore, check_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wherry.cli.options import Option, Options
    from wherry.cli.session import Session

SYNTAX = "[OPTIONS] CONTEXT"
ALIASES: tuple[str, ...] = ()
OPTIONS: tuple[Option, ...] = (
    ("description", "", "string", "Description of the context"),
    ("docker", "", "stringToString", "set the docker endpoint (default [])"),
)
ARGUMENTS = (1, 1)
DESCRIPTION = (
    f"Update a context\n{ENDPOINT_HELP}wherry context update my-context "
    '--description "some description" --docker '
    '"host=tcp://myserver:2376,ca=~/ca-file,cert=~/cert-file,key=~/key-file"'
)


def run(session: Session, options: Options, operands: list[str]) -> int:
    """Changes a stored context's description or endpoint."""
    name = operands[0]
    check_name(name)
    store = ContextStore(session.config.directory)
    meta = store.load(name)
    if options.text("description"):
        meta.setdefault("Metadata", {})["Description"] = options.text("description")
    tls: dict[str, bytes] | None = None
    if options.items("docker"):
        docker, tls = parse_endpoint(session, store, options.items("docker"))
        meta["Endpoints"] = {**(meta.get("Endpoints") or {}), "docker": docker}
    store.save(meta, tls)
    session.line(name)
    session.warn(f'Successfully updated context "{name}"')
    return 0
