"""`wherry network ls`."""

from __future__ import annotations

from wherry.cli.filters import filter_query
from wherry.cli.listing import Listing
from wherry.cli.option_texts import FORMAT_LIST_HELP
from wherry.cli.sorting import natural_key
from wherry.cli.volume_fields import NETWORK_FIELDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wherry.cli.options import Option, Options
    from wherry.cli.session import Session

SYNTAX = "[OPTIONS]"
ALIASES: tuple[str, ...] = ("network ls", "network list")
OPTIONS: tuple[Option, ...] = (
    ("filter", "f", "filter", 'Provide filter values (e.g. "driver=bridge")'),
    ("format", "", "string", FORMAT_LIST_HELP),
    ("no-trunc", "", "bool", "Do not truncate the output"),
    ("quiet", "q", "bool", "Only display network IDs"),
)
ARGUMENTS = (0, 0)


def run(session: Session, options: Options, operands: list[str]) -> int:
    """Lists networks by name."""
    template = options.text("format")
    if not template and not options.flag("quiet"):
        template = session.config.text("networksFormat")
    listing = Listing(
        NETWORK_FIELDS,
        ("ID", "Name", "Driver", "Scope"),
        template=template,
        quiet="ID" if options.flag("quiet") else "",
        trunc=not options.flag("no-trunc"),
        type_name="*network.networkContext",
        raw=("network_id: ID", "name: Name", "driver: Driver", "scope: Scope"),
    )
    found = session.client.get("/networks", filter_query(options.items("filter"))) or ()
    session.out(listing.render(sorted(found, key=lambda item: natural_key(str(item["Name"])))))
    return 0
