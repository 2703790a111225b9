"""`--filter name=value` as the JSON that the API takes."""

from __future__ import annotations

from wherry.client.json_text import dumps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def collect(values: Iterable[str]) -> dict[str, dict[str, bool]]:
    """The values by lower case name, each value a key that is true."""
    found: dict[str, dict[str, bool]] = {}
    for text in values:
        if text:
            name, _, value = text.partition("=")
            found.setdefault(name.strip().lower(), {})[value.strip()] = True
    return found


def filter_query(values: Iterable[str]) -> dict[str, str]:
    """`{"filters": ...}` for a query, or nothing."""
    found = collect(values)
    return {"filters": dumps(found)} if found else {}


def prune_filters(values: Iterable[str], configured: Iterable[str]) -> list[str]:
    """Filters of a prune: `pruneFilters` of the configuration, unless the opposite was given."""
    given = list(values)
    names = {text.partition("=")[0]: None for text in given}
    for text in configured:
        name = text.partition("=")[0]
        opposite = {"label": "label!", "label!": "label"}.get(name, "")
        if opposite not in names or f"{opposite}={text.partition('=')[2]}" not in given:
            given.append(text)
    return given
