"""`wherry search`."""

from __future__ import annotations

from wherry.cli.filters import filter_query
from wherry.cli.listing import Listing, ellipsis

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wherry.cli.options import Option, Options
    from wherry.cli.session import Session

SYNTAX = "[OPTIONS] TERM"
ALIASES: tuple[str, ...] = ()
OPTIONS: tuple[Option, ...] = (
    ("filter", "f", "filter", "Filter output based on conditions provided"),
    ("format", "", "string", "Pretty-print search using a Go template"),
    ("limit", "", "int", "Max number of search results"),
    ("no-trunc", "", "bool", "Don't truncate output"),
)
ARGUMENTS = (1, 1)


class _Official:
    """`[OK]` in a table, a truth in JSON."""

    def __init__(self, official: bool) -> None:
        self._official = official

    def __str__(self) -> str:
        return "[OK]" if self._official else ""

    def as_json(self) -> str:
        """The truth, as text."""
        return "true" if self._official else "false"


_FIELDS = {
    "Name": ("NAME", lambda item, trunc: str(item.get("name", ""))),
    "Description": (
        "DESCRIPTION",
        lambda item, trunc: ellipsis(_flat(item), 45) if trunc else _flat(item),
    ),
    "StarCount": ("STARS", lambda item, trunc: str(item.get("star_count", 0))),
    "IsOfficial": ("OFFICIAL", lambda item, trunc: _Official(bool(item.get("is_official")))),
}


def _flat(item: dict[str, str]) -> str:
    return (item.get("description") or "").replace("\n", " ").replace("\r", " ")


def run(session: Session, options: Options, operands: list[str]) -> int:
    """Prints what the engine's registry finds for a term."""
    from wherry.cli.pulling import index_header

    query = {"term": operands[0], **filter_query(options.items("filter"))}
    if options.number("limit"):
        query["limit"] = str(options.number("limit"))
    response = session.client.request(
        "GET", "/images/search", query, headers={"X-Registry-Auth": index_header(session)}
    )
    listing = Listing(
        _FIELDS,
        tuple(_FIELDS),
        template=options.text("format"),
        trunc=not options.flag("no-trunc"),
        type_name="*registry.searchContext",
    )
    found = session.client.decoded(response) or []
    session.out(listing.render(sorted(found, key=lambda item: -item.get("star_count", 0))))
    return 0
