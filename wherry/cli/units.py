"""Sizes and durations as Docker's go-units prints and reads them."""

from __future__ import annotations

from wherry.cli.errors import CliError

_DECIMAL = ("B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB")
_BINARY = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB")
_POWERS = {"k": 1, "m": 2, "g": 3, "t": 4, "p": 5}
_DURATION_UNITS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "μs": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}


def _scaled(size: float, base: float, names: tuple[str, ...], precision: int) -> str:
    index = 0
    while size >= base and index < len(names) - 1:
        size /= base
        index += 1
    return f"{size:.{precision}g}{names[index]}"


def human_size(size: float, precision: int = 4) -> str:
    """`1.234MB`: powers of a thousand."""
    return _scaled(size, 1000.0, _DECIMAL, precision)


def bytes_size(size: float) -> str:
    """`1.177MiB`: powers of 1024."""
    return _scaled(size, 1024.0, _BINARY, 4)


def human_duration(seconds: float) -> str:
    """`3 minutes`, `About an hour`: one unit, roughly."""
    whole = int(seconds)
    if whole < 1:
        return "Less than a second"
    if whole == 1:
        return "1 second"
    if whole < 60:
        return f"{whole} seconds"
    minutes = whole // 60
    if minutes == 1:
        return "About a minute"
    if minutes < 60:
        return f"{minutes} minutes"
    hours = int(seconds / 3600 + 0.5)
    if hours == 1:
        return "About an hour"
    for limit, divisor, unit in (
        (48, 1, "hours"),
        (24 * 14, 24, "days"),
        (24 * 60, 24 * 7, "weeks"),
        (24 * 730, 24 * 30, "months"),
    ):
        if hours < limit:
            return f"{hours // divisor} {unit}"
    return f"{int(seconds / 3600) // 24 // 365} years"


def ram_in_bytes(text: str) -> int:
    """`64m`, `1.5 GiB`, `1024`: powers of 1024 (go-units `RAMInBytes`)."""
    end = max((text.rfind(mark) for mark in "0123456789. "), default=-1)
    if end < 0:
        raise CliError(f"invalid size: '{text}'")
    number = text[:end] if text[end] == " " else text[: end + 1]
    suffix = text[end + 1 :].lower()
    try:
        if number != number.strip() or "_" in number:
            raise ValueError
        size = float(number)
    except ValueError:
        raise CliError(f"invalid size: '{text}'") from None
    if size < 0:
        raise CliError(f"invalid size: '{text}'")
    if not suffix or suffix == "b":
        return int(size)
    power = _POWERS.get(suffix[0])
    if power is None or suffix[1:] not in ("", "b", "ib"):
        raise CliError(f"invalid suffix: '{text[end + 1 :]}'")
    return int(size * 1024**power)


def parse_duration(text: str) -> int:
    """Nanoseconds of a Go duration such as `1m30s`."""
    invalid = CliError(f'time: invalid duration "{text}"')
    rest = text
    sign = 1
    if rest[:1] in ("+", "-"):
        sign = -1 if rest[0] == "-" else 1
        rest = rest[1:]
    if rest == "0":
        return 0
    if not rest:
        raise invalid
    total = 0.0
    while rest:
        digits = 0
        while digits < len(rest) and (rest[digits].isdigit() or rest[digits] == "."):
            digits += 1
        number, rest = rest[:digits], rest[digits:]
        if not number.replace(".", "", 1).isdigit():
            raise invalid
        letters = 0
        while letters < len(rest) and not rest[letters].isdigit() and rest[letters] != ".":
            letters += 1
        unit, rest = rest[:letters], rest[letters:]
        if not unit:
            raise CliError(f'time: missing unit in duration "{text}"')
        if unit not in _DURATION_UNITS:
            raise CliError(f'time: unknown unit "{unit}" in duration "{text}"')
        total += float(number) * _DURATION_UNITS[unit]
    return sign * round(total)


def parse_cpus(text: str) -> int:
    """Billionths of a CPU from a decimal number or a fraction (Go's `big.Rat`)."""
    from fractions import Fraction

    try:
        value = Fraction(text) * 1_000_000_000
    except (ValueError, ZeroDivisionError):
        raise CliError(f"failed to parse {text} as a rational number") from None
    if value.denominator != 1:
        raise CliError("value is too precise")
    return int(value)
