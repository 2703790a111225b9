"""Times given as `--since` and `--until`, and times shown (Docker's `api/types/time`)."""

from __future__ import annotations

import time

from wherry.cli.errors import CliError
from wherry.cli.units import parse_duration


def api_timestamp(text: str) -> str:
    """A Unix time for the API: `10m` ago, RFC 3339 with or without parts, or a Unix time."""
    if not text:
        return ""
    try:
        ago = parse_duration(text)
    except CliError:
        pass
    else:
        seconds, nanoseconds = divmod(time.time_ns() - ago, 1_000_000_000)
        return f"{seconds}.{nanoseconds:09d}" if nanoseconds else str(seconds)
    whole, dot, fraction = text.partition(".")
    if whole.lstrip("-").isdigit() and (not dot or fraction.isdigit()):
        return f"{whole}.{fraction.ljust(9, '0')[:9]}" if dot else text
    return _calendar(text)


def _calendar(text: str) -> str:
    from datetime import datetime

    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise CliError(f'failed to parse value as time or duration: "{text}"') from None
    if moment.tzinfo is None:
        moment = moment.astimezone()
    seconds = int(moment.timestamp() // 1)
    fraction = text.partition(".")[2]
    digits = "".join(mark for mark in fraction[:9] if mark.isdigit())
    return f"{seconds}.{digits.ljust(9, '0')}"


def parse_rfc3339(text: str) -> float:
    """Seconds since the epoch of an API time; 0 for Go's zero time."""
    if not text or text.startswith("0001-"):
        return 0.0
    from datetime import datetime

    head, dot, tail = text.partition(".")
    if dot:
        digits = ""
        while tail and tail[0].isdigit():
            digits, tail = digits + tail[0], tail[1:]
        text = f"{head}.{digits[:6].ljust(6, '0')}{tail}"
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def go_time(text: str) -> str:
    """An API time as Go prints it: `2026-01-02 15:04:05.123 +0000 UTC`."""
    if not text.endswith("Z"):
        return f"{text[:10]} {text[11:-6]} {text[-6:-3]}{text[-2:]} {text[-6:-3]}{text[-2:]}"
    return f"{text[:10]} {text[11:-1]} +0000 UTC"


def local_time(seconds: float) -> str:
    """`2026-01-02 15:04:05 +0100 CET`, as Go prints a local time of whole seconds."""
    parts = time.localtime(seconds)
    return time.strftime("%Y-%m-%d %H:%M:%S %z %Z", parts)


def ago(seconds: float) -> str:
    """`3 hours ago`."""
    from wherry.cli.units import human_duration

    return f"{human_duration(time.time() - seconds)} ago"
