"""Detach keys: from `ctrl-p,ctrl-q` to the bytes that a terminal sends."""

from wherry.base.errors import InvalidParameter

DEFAULT_KEYS = "\x10\x11"
"""ctrl-p, ctrl-q."""

_CONTROL = {f"ctrl-{chr(96 + number)}": chr(number) for number in range(1, 27)} | {
    "ctrl-@": "\x00", "ctrl-[": "\x1b", "ctrl-\\": "\x1c", "ctrl-]": "\x1d", "ctrl-^": "\x1e",
    "ctrl-_": "\x1f",
}  # fmt: skip


def parse_detach_keys(text: str) -> str:
    """The keys as characters below 256, Docker's own if none are given; raises InvalidParameter."""
    if not text:
        return DEFAULT_KEYS
    keys = ""
    for word in text.split(","):
        key = word if len(word) == 1 else _CONTROL.get(word.lower(), "")
        if not key or ord(key) > 255:
            raise InvalidParameter(f"Invalid detach keys ({text}) provided")
        keys += key
    return keys
