"""`wherry volume ls`."""

from __future__ import annotations

from wherry.cli.filters import filter_query
from wherry.cli.listing import Listing
from wherry.cli.option_texts import FORMAT_LIST_HELP
from wherry.cli.sorting import natural_key
from wherry.cli.volume_fields import VOLUME_FIELDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wherry.cli.options import Option, Options
    from wherry.cli.session import Session

SYNTAX = "[OPTIONS]"
ALIASES: tuple[str, ...] = ("volume ls", "volume list")
OPTIONS: tuple[Option, ...] = (
    ("cluster", "", "bool", "Display only cluster volumes, and use cluster volume list formatting"),
    ("filter", "f", "filter", 'Provide filter values (e.g. "dangling=true")'),
    ("format", "", "string", FORMAT_LIST_HELP),
    ("quiet", "q", "bool", "Only display volume names"),
)
ARGUMENTS = (0, 0)


def run(session: Session, options: Options, operands: list[str]) -> int:
    """Lists volumes by name."""
    template = options.text("format")
    if not template and not options.flag("quiet"):
        template = session.config.text("volumesFormat")
    listing = Listing(
        VOLUME_FIELDS,
        ("Driver", "Name"),
        template=template,
        quiet="Name" if options.flag("quiet") else "",
        type_name="*formatter.volumeContext",
        raw=("name: Name", "driver: Driver"),
    )
    answer = session.client.get("/volumes", filter_query(options.items("filter"))) or {}
    found = answer.get("Volumes") or ()
    session.out(listing.render(sorted(found, key=lambda item: natural_key(str(item["Name"])))))
    return 0
