"""`wherry context ls`."""

from __future__ import annotations

from wherry.cli.context_endpoint import DESCRIPTION_OF_DEFAULT, default_context
from wherry.cli.listing import Listing, ellipsis
from wherry.cli.option_texts import FORMAT_LIST_HELP
from wherry.client.context_store import ContextStore
from wherry.client.contexts import DEFAULT_CONTEXT
from wherry.client.errors import ClientError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from wherry.cli.options import Option, Options
    from wherry.cli.session import Session

SYNTAX = "[OPTIONS]"
ALIASES: tuple[str, ...] = ("context ls", "context list")
OPTIONS: tuple[Option, ...] = (
    ("format", "", "string", FORMAT_LIST_HELP),
    ("quiet", "q", "bool", "Only show context names"),
)
ARGUMENTS = (0, 0)


def run(session: Session, options: Options, operands: list[str]) -> int:
    """Lists contexts by name, the one in use marked."""
    store = ContextStore(session.config.directory)
    current = session.context
    names = sorted({*store.names(), DEFAULT_CONTEXT, current})
    rows = [
        {**_row(session, store, name), "Name": name, "Current": name == current} for name in names
    ]
    listing = Listing(
        _FIELDS,
        ("shown", "Description", "DockerEndpoint", "Error"),
        template=options.text("format"),
        quiet="Name" if options.flag("quiet") else "",
        type_name="*formatter.clientContextContext",
    )
    session.out(listing.render(rows))
    if session.environment.get("DOCKER_HOST"):
        session.warn(
            "Warning: DOCKER_HOST environment variable overrides the active context. To use a "
            "context, either set the global --context flag, or unset DOCKER_HOST environment "
            "variable."
        )
    return 0


def _row(session: Session, store: ContextStore, name: str) -> dict[str, Any]:
    if name == DEFAULT_CONTEXT:
        meta, description = default_context(session), DESCRIPTION_OF_DEFAULT
    else:
        try:
            meta = store.load(name)
        except ClientError as error:
            return {"Error": error.message}
        description = str((meta.get("Metadata") or {}).get("Description") or "")
    docker = (meta.get("Endpoints") or {}).get("docker") or {}
    return {"Description": description, "DockerEndpoint": str(docker.get("Host") or "")}


def _text(name: str) -> Callable[[Any, bool], str]:
    return lambda item, trunc: str(item.get(name) or "")


_FIELDS = {
    "Name": ("NAME", _text("Name")),
    "shown": ("NAME", lambda item, trunc: item["Name"] + (" *" if item["Current"] else "")),
    "Description": (
        "DESCRIPTION",
        lambda item, trunc: ellipsis(item.get("Description") or "", 60),
    ),
    "DockerEndpoint": ("DOCKER ENDPOINT", _text("DockerEndpoint")),
    "Current": ("CURRENT", lambda item, trunc: bool(item["Current"])),
    "Error": ("ERROR", lambda item, trunc: ellipsis(item.get("Error") or "", 45)),
}
