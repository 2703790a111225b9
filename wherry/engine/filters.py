"""What list and prune filters mean, the same for every noun.

A filter's values are alternatives, except labels, which must all be there (docker/go filters.Args).
"""

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from wherry.base.errors import InvalidParameter

Filters = Mapping[str, Sequence[str]]

_DURATION = re.compile(r"(?P<number>\d+(?:\.\d+)?)(?P<unit>ns|us|µs|ms|s|m|h)")
_NANOSECONDS = {
    "ns": 1, "us": 10**3, "µs": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9,
}  # fmt: skip
_TRUE = frozenset({"1", "true"})
_FALSE = frozenset({"0", "false"})


def check_filters(filters: Filters, allowed: Collection[str]) -> None:
    """Raises InvalidParameter, in Docker's words, for a filter that the noun does not have."""
    for key in filters:
        if key not in allowed:
            raise InvalidParameter(f"invalid filter '{key}'")


def matches_labels(labels: Mapping[str, str] | None, wanted: Sequence[str]) -> bool:
    """Whether all wanted labels (`key` or `key=value`) are there."""
    present = labels or {}
    for entry in wanted:
        key, equals, value = entry.partition("=")
        if key not in present or (equals and present[key] != value):
            return False
    return True


def kept_by_labels(labels: Mapping[str, str] | None, filters: Filters) -> bool:
    """Whether a prune with `label` and `label!` filters leaves this object alone."""
    if not matches_labels(labels, filters.get("label", ())):
        return True
    return any(matches_labels(labels, [entry]) for entry in filters.get("label!", ()))


def flag(filters: Filters, key: str) -> bool | None:
    """The value of a boolean filter, None if absent; raises InvalidParameter on other words."""
    values = filters.get(key)
    if not values:
        return None
    words = {value.lower() for value in values}
    if len(words) == 1:
        word = words.pop()
        if word in _TRUE:
            return True
        if word in _FALSE:
            return False
    raise InvalidParameter(f"invalid filter '{key}=[{' '.join(values)}]'")


def parse_moment(text: str, now: int) -> int:
    """Nanoseconds since the epoch of a time that a client gave.

    Unix seconds with a fraction, a Go duration before `now`, RFC 3339 or a date; raises
    InvalidParameter. The forms are those of dockerd's timetypes.GetTimestamp.
    """
    value = text.strip()
    if re.fullmatch(r"-?\d+(\.\d+)?", value):
        seconds, _, fraction = value.partition(".")
        return int(seconds) * 10**9 + int(fraction[:9].ljust(9, "0") or 0)
    duration = parse_duration(value)
    if duration is not None:
        return now - duration
    head, dot, rest = value.partition(".")
    digits = re.match(r"\d*", rest)
    fraction = digits.group() if dot and digits else ""
    try:
        whole = datetime.fromisoformat(head + rest[len(fraction) :] if dot else value)
    except ValueError:
        raise InvalidParameter(f'failed to parse value as time or duration: "{text}"') from None
    return int(whole.timestamp()) * 10**9 + int(fraction[:9].ljust(9, "0") or 0)


def parse_duration(text: str) -> int | None:
    """Nanoseconds of a Go duration such as 1h30m, None if the text is none."""
    position, total = 0, 0.0
    for part in _DURATION.finditer(text):
        if part.start() != position:
            return None
        total += float(part["number"]) * _NANOSECONDS[part["unit"]]
        position = part.end()
    return int(total) if position == len(text) and text else None


def until(filters: Filters, now: int) -> int | None:
    """The moment of an `until` filter; raises InvalidParameter if there are several."""
    values = filters.get("until")
    if not values:
        return None
    if len(values) > 1:
        raise InvalidParameter("more than one until filter specified")
    return parse_moment(values[0], now)
