"""`wherry images`."""

from __future__ import annotations

from wherry.cli.filters import filter_query
from wherry.cli.image_fields import (
    COLUMNS,
    DIGEST_COLUMNS,
    DIGEST_RAW,
    FIELDS,
    RAW,
    TYPE_NAME,
    image_rows,
)
from wherry.cli.listing import Listing
from wherry.cli.option_texts import FORMAT_LIST_HELP

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wherry.cli.options import Option, Options
    from wherry.cli.session import Session

SYNTAX = "[OPTIONS] [REPOSITORY[:TAG]]"
ALIASES: tuple[str, ...] = ("image ls", "image list", "images")
OPTIONS: tuple[Option, ...] = (
    ("all", "a", "bool", "Show all images (default hides intermediate images)"),
    ("digests", "", "bool", "Show digests"),
    ("filter", "f", "filter", "Filter output based on conditions provided"),
    ("format", "", "string", FORMAT_LIST_HELP),
    ("no-trunc", "", "bool", "Don't truncate output"),
    ("quiet", "q", "bool", "Only show image IDs"),
    ("tree", "", "bool", "List multi-platform images as a tree (EXPERIMENTAL)"),
)
ARGUMENTS = (0, 1)


def run(session: Session, options: Options, operands: list[str]) -> int:
    """Lists images, one row for each name."""
    filters = options.items("filter")
    if operands:
        filters.append(f"reference={operands[0]}")
    query = filter_query(filters)
    if options.flag("all"):
        query["all"] = "1"
    if options.flag("tree"):
        return _tree(session, options, query)
    template = options.text("format")
    if not template and not options.flag("quiet"):
        template = session.config.text("imagesFormat")
    digests = options.flag("digests")
    listing = Listing(
        FIELDS,
        DIGEST_COLUMNS if digests else COLUMNS,
        template=template,
        quiet="ID" if options.flag("quiet") else "",
        trunc=not options.flag("no-trunc"),
        type_name=TYPE_NAME,
        raw=DIGEST_RAW if digests else RAW,
    )
    images = session.client.get("/images/json", query) or ()
    images = sorted(images, key=lambda image: -int(image.get("Created") or 0))
    session.out(listing.render(image_rows(images, digests or "{{.Digest}}" in template, digests)))
    return 0


def _tree(session: Session, options: Options, query: dict[str, str]) -> int:
    from wherry.cli.errors import CliError
    from wherry.cli.image_tree import ImageTree
    from wherry.cli.terminal import terminal_size

    for name, told in _NOT_WITH_TREE.items():
        if options.changed(name):
            raise CliError(f"--{told} is not yet supported with --tree")
    images = session.client.get("/images/json", {**query, "manifests": "1"}) or []
    if not options.flag("all"):
        images = [item for item in images if item.get("RepoTags") or item.get("RepoDigests")]
    width = max(terminal_size()[1] or 80, 20)
    session.out(ImageTree(images, width, session.is_terminal(1)).draw())
    return 0


_NOT_WITH_TREE = {
    "quiet": "quiet",
    "no-trunc": "no-trunc",
    "digests": "show-digest",
    "format": "format",
}
