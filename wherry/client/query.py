"""Percent-encoding for paths and queries, as Go's `net/url` writes them."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.~")
_PATH = _PLAIN | frozenset(b"/:@$&+=,")


def _escape(text: str, plain: frozenset[int]) -> str:
    data = text.encode("utf-8", "surrogateescape")
    if plain.issuperset(data):
        return text
    return "".join(chr(byte) if byte in plain else f"%{byte:02X}" for byte in data)


def escape_path(text: str) -> str:
    """A name as it stands in a path; slashes stay, since image names have them."""
    return _escape(text, _PATH)


def escape_query(text: str) -> str:
    """A name or value as it stands in a query."""
    return _escape(text, _PLAIN)


def encode_query(query: Mapping[str, str | Sequence[str]]) -> str:
    """`a=1&b=2`; a sequence repeats its name, an empty sequence leaves it out."""
    parts = []
    for name, value in query.items():
        for item in (value,) if isinstance(value, str) else value:
            parts.append(f"{escape_query(name)}={escape_query(item)}")
    return "&".join(parts)
