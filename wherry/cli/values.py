"""The kinds of option values: how each is read, and the text of its refusal (pflag, docker/cli)."""

from __future__ import annotations

from wherry.cli.errors import CliError
from wherry.cli.units import parse_cpus, parse_duration, ram_in_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_TRUE = ("1", "t", "T", "true", "TRUE", "True")
_FALSE = ("0", "f", "F", "false", "FALSE", "False")


def quoted(text: str) -> str:
    """Go's %q for ordinary text."""
    from wherry.client.json_text import dumps

    return dumps(text)


def parse_bool(text: str) -> bool:
    """What Go's strconv.ParseBool takes."""
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise CliError(f"strconv.ParseBool: parsing {quoted(text)}: invalid syntax")


def _integer(text: str, function: str, low: int, high: int) -> int:
    digits = text[1:] if text[:1] in ("+", "-") and low < 0 else text
    base = 10
    if digits[:2].lower() in ("0x", "0b", "0o"):
        base = 0
    elif digits.startswith("0") and digits.isdigit():
        base = 8
    try:
        if not digits or not digits[0].isdigit():
            raise ValueError
        value = int(text, base)
    except ValueError:
        raise CliError(f"strconv.{function}: parsing {quoted(text)}: invalid syntax") from None
    if not low <= value <= high:
        raise CliError(f"strconv.{function}: parsing {quoted(text)}: value out of range")
    return value


def parse_int(text: str) -> int:
    """A signed number of 64 bits, decimal, octal or hexadecimal."""
    return _integer(text, "ParseInt", -(1 << 63), (1 << 63) - 1)


def parse_uint(text: str) -> int:
    """An unsigned number of 64 bits."""
    return _integer(text, "ParseUint", 0, (1 << 64) - 1)


def parse_uint16(text: str) -> int:
    """An unsigned number of 16 bits."""
    return _integer(text, "ParseUint", 0, (1 << 16) - 1)


def parse_swap(text: str) -> int:
    """A size, or -1 for no limit."""
    return -1 if text == "-1" else ram_in_bytes(text)


def parse_float(text: str) -> float:
    """A decimal fraction."""
    try:
        return float(text)
    except ValueError:
        raise CliError(f"strconv.ParseFloat: parsing {quoted(text)}: invalid syntax") from None


def parse_uint32(text: str) -> int:
    """An unsigned number of 32 bits."""
    return _integer(text, "ParseUint", 0, (1 << 32) - 1)


SCALARS: dict[str, Callable[[str], object]] = {
    "string": str,
    "bool": parse_bool,
    "int": parse_int,
    "uint": parse_uint,
    "uint16": parse_uint16,
    "uint32": parse_uint32,
    "float": parse_float,
    "bytes": ram_in_bytes,
    "swap": parse_swap,
    "duration": parse_duration,
    "decimal": parse_cpus,
}
"""Kinds whose last value counts; every other kind collects its values."""

PLAIN_LISTS = frozenset(
    (
        "command",
        "config",
        "credential-spec",
        "external-ca",
        "ipNetSlice",
        "list",
        "map",
        "node-addr",
        "pem-file",
        "port",
        "pref",
        "secret",
        "stringToString",
    )
)
"""Kinds that collect their values as they are given."""

ZEROS: dict[str, object] = {
    "string": "",
    "bool": False,
    "int": 0,
    "uint": 0,
    "uint16": 0,
    "uint32": 0,
    "float": 0,
    "bytes": 0,
    "swap": 0,
    "duration": 0,
    "decimal": 0,
}
"""What a scalar is when it is not given and its option names no default."""
