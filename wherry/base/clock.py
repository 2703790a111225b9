"""Time as Docker writes it: RFC 3339 with nanoseconds, in UTC."""

import time

ZERO_TIME = "0001-01-01T00:00:00Z"
"""What Go prints for a time that was never set."""


def now_ns() -> int:
    """Nanoseconds since the epoch."""
    return time.time_ns()


def rfc3339_nano(nanoseconds: int) -> str:
    """Nanoseconds since the epoch as Go's RFC3339Nano: trailing zeros of the fraction dropped."""
    seconds, fraction = divmod(nanoseconds, 1_000_000_000)
    text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    digits = f"{fraction:09d}".rstrip("0")
    return f"{text}.{digits}Z" if digits else f"{text}Z"


def timestamp() -> str:
    """The present moment as RFC3339Nano."""
    return rfc3339_nano(now_ns())


def parse_rfc3339(text: str) -> int:
    """Nanoseconds since the epoch of an RFC 3339 time; raises ValueError on other text."""
    from datetime import datetime

    head, dot, rest = text.partition(".")
    if not dot:
        return int(datetime.fromisoformat(text).timestamp()) * 1_000_000_000
    length = next((i for i, char in enumerate(rest) if not char.isdecimal()), len(rest))
    fraction, zone = rest[:length], rest[length:]
    whole = int(datetime.fromisoformat(head + zone).timestamp())
    return whole * 1_000_000_000 + int(fraction[:9].ljust(9, "0"))
