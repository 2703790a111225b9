"""`wherry history`."""

from __future__ import annotations

import time

from wherry.cli.listing import Listing, ellipsis, truncate_id
from wherry.cli.option_texts import FORMAT_LIST_HELP
from wherry.cli.platforms import platform_json
from wherry.cli.timestamps import ago
from wherry.cli.units import human_size
from wherry.client.query import escape_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wherry.cli.options import Option, Options
    from wherry.cli.session import Session

SYNTAX = "[OPTIONS] IMAGE"
ALIASES: tuple[str, ...] = ("image history", "history")
OPTIONS: tuple[Option, ...] = (
    ("format", "", "string", FORMAT_LIST_HELP),
    ("human", "H", "bool", "Print sizes and dates in human readable format (default true)", True),
    ("no-trunc", "", "bool", "Don't truncate output"),
    (
        "platform",
        "",
        "string",
        (
            "Show history for the given platform. Formatted as "
            '"os[/arch[/variant]]" (e.g., "linux/amd64")'
        ),
    ),
    ("quiet", "q", "bool", "Only show image IDs"),
)
ARGUMENTS = (1, 1)


_EPOCH_OF_DATES = 946684800


def _created_at(item: dict[str, object]) -> str:
    text = time.strftime("%Y-%m-%dT%H:%M:%S%z", time.localtime(_number(item, "Created")))
    return text[:-5] + "Z" if text.endswith("+0000") else f"{text[:-2]}:{text[-2:]}"


def _number(item: dict[str, object], name: str) -> int:
    value = item.get(name)
    return value if isinstance(value, int) else 0


def _since(item: dict[str, object], trunc: bool) -> str:
    if not item["human"]:
        return _created_at(item)
    created = _number(item, "Created")
    return "N/A" if created <= _EPOCH_OF_DATES else ago(created)


def _created_by(item: dict[str, object], trunc: bool) -> str:
    text = str(item.get("CreatedBy") or "").replace("\t", " ")
    return ellipsis(text, 45) if trunc else text


def _size(item: dict[str, object], trunc: bool) -> str:
    size = _number(item, "Size")
    return human_size(size, 3) if item["human"] else str(size)


_FIELDS = {
    "ID": (
        "IMAGE",
        lambda item, trunc: truncate_id(str(item["Id"])) if trunc else str(item["Id"]),
    ),
    "CreatedSince": ("CREATED", _since),
    "CreatedAt": ("CREATED AT", lambda item, trunc: _created_at(item)),
    "CreatedBy": ("CREATED BY", _created_by),
    "Size": ("SIZE", _size),
    "Comment": ("COMMENT", lambda item, trunc: str(item.get("Comment") or "")),
}


def run(session: Session, options: Options, operands: list[str]) -> int:
    """Shows the steps that made an image, the last first."""
    query = {}
    if options.text("platform"):
        query["platform"] = platform_json(options.text("platform"))
    steps = session.client.get(f"/images/{escape_path(operands[0])}/history", query) or ()
    human = options.flag("human")
    listing = Listing(
        _FIELDS,
        ("ID", "CreatedSince" if human else "CreatedAt", "CreatedBy", "Size", "Comment"),
        template=options.text("format"),
        quiet="ID" if options.flag("quiet") else "",
        trunc=not options.flag("no-trunc"),
        type_name="*image.historyContext",
    )
    session.out(listing.render({**step, "human": human} for step in steps))
    return 0
