"""`wherry ps`."""

from __future__ import annotations

from wherry.cli.container_fields import COLUMNS, FIELDS, RAW, TYPE_NAME
from wherry.cli.filters import filter_query
from wherry.cli.listing import Listing, check_template
from wherry.cli.option_texts import FORMAT_LIST_HELP

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wherry.cli.options import Option, Options
    from wherry.cli.session import Session

SYNTAX = "[OPTIONS]"
ALIASES: tuple[str, ...] = ("container ls", "container list", "container ps", "ps")
OPTIONS: tuple[Option, ...] = (
    ("all", "a", "bool", "Show all containers (default shows just running)"),
    ("filter", "f", "filter", "Filter output based on conditions provided"),
    ("format", "", "string", FORMAT_LIST_HELP),
    ("last", "n", "int", "Show n last created containers (includes all states) (default -1)", -1),
    ("latest", "l", "bool", "Show the latest created container (includes all states)"),
    ("no-trunc", "", "bool", "Don't truncate output"),
    ("quiet", "q", "bool", "Only display container IDs"),
    ("size", "s", "bool", "Display total file sizes"),
)
ARGUMENTS = (0, 0)


def run(session: Session, options: Options, operands: list[str]) -> int:
    """Lists containers."""
    template = options.text("format")
    if not template and not options.flag("quiet"):
        template = session.config.text("psFormat")
    sized = False
    if template not in ("", "table", "json", "raw"):
        blank = {"Id": "", "Created": 0}
        sized = check_template(template, FIELDS, blank, TYPE_NAME)
    if template and options.flag("quiet"):
        session.warn("WARNING: Ignoring custom format, because both --format and --quiet are set.")
    query = filter_query(options.items("filter"))
    if options.flag("all"):
        query["all"] = "1"
    limit = 1 if options.flag("latest") and options.number("last") == -1 else options.number("last")
    if limit > 0:
        query["limit"] = str(limit)
    if options.flag("size") or (sized and not options.changed("size")):
        query["size"] = "1"
    listing = Listing(
        FIELDS,
        (*COLUMNS, "Size") if options.flag("size") else COLUMNS,
        template=template,
        quiet="ID" if options.flag("quiet") else "",
        trunc=not options.flag("no-trunc"),
        type_name=TYPE_NAME,
        raw=(*RAW, "size: Size") if options.flag("size") else RAW,
    )
    session.out(listing.render(session.client.get("/containers/json", query) or ()))
    return 0
