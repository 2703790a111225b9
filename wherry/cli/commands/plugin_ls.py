"""`wherry plugin ls`."""

from __future__ import annotations

from wherry.cli.filters import filter_query
from wherry.cli.listing import Listing, ellipsis, truncate_id
from wherry.cli.option_texts import FORMAT_LIST_HELP
from wherry.cli.sorting import natural_key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from wherry.cli.options import Option, Options
    from wherry.cli.session import Session

SYNTAX = "[OPTIONS]"
ALIASES: tuple[str, ...] = ("plugin ls", "plugin list")
OPTIONS: tuple[Option, ...] = (
    ("filter", "f", "filter", 'Provide filter values (e.g. "enabled=true")'),
    ("format", "", "string", FORMAT_LIST_HELP),
    ("no-trunc", "", "bool", "Don't truncate output"),
    ("quiet", "q", "bool", "Only display plugin IDs"),
)
ARGUMENTS = (0, 0)


def run(session: Session, options: Options, operands: list[str]) -> int:
    """Lists the engine's plugins."""
    template = options.text("format")
    if not template and not options.flag("quiet"):
        template = session.config.text("pluginsFormat")
    listing = Listing(
        _FIELDS,
        ("ID", "Name", "Description", "Enabled"),
        template=template,
        quiet="ID" if options.flag("quiet") else "",
        trunc=not options.flag("no-trunc"),
        type_name="*plugin.pluginContext",
    )
    found = session.client.get("/plugins", filter_query(options.items("filter"))) or ()
    session.out(listing.render(sorted(found, key=lambda item: natural_key(str(item["Name"])))))
    return 0


def _description(item: Any, trunc: bool) -> str:
    text = str((item.get("Config") or {}).get("Description") or "")
    text = text.replace("\n", "").replace("\r", "")
    return ellipsis(text, 45) if trunc else text


_FIELDS = {
    "ID": ("ID", lambda item, trunc: truncate_id(item["Id"]) if trunc else str(item["Id"])),
    "Name": ("NAME", lambda item, trunc: str(item["Name"])),
    "Description": ("DESCRIPTION", _description),
    "Enabled": ("ENABLED", lambda item, trunc: bool(item.get("Enabled"))),
    "PluginReference": (
        "PLUGIN REFERENCE",
        lambda item, trunc: str(item.get("PluginReference") or ""),
    ),
}
