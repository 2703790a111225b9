"""Identifiers: random ones as Docker makes them, and their short form."""

import secrets


def new_id() -> str:
    """A random identifier of 64 hexadecimal digits, never all decimal in its short form.

    A short form of digits alone would be taken for a number by hostname parsers (moby#3869).
    """
    while True:
        candidate = secrets.token_hex(32)
        if not candidate[:12].isdecimal():
            return candidate


def short_id(identifier: str) -> str:
    """The first twelve digits of an identifier, without an algorithm prefix."""
    return identifier.rpartition(":")[2][:12]
