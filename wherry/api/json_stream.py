"""Streams of JSON objects: the media type that the client asks for, and its framing."""

import msgspec

JSON = "application/json"
JSON_LINES = "application/jsonl"
NDJSON = "application/x-ndjson"
JSON_SEQUENCE = "application/json-seq"

_OFFERED = (JSON_LINES, NDJSON, JSON_SEQUENCE)


def negotiated(accept: str, default: str) -> str:
    """The offered type that an Accept header likes best, the default if it names none exactly.

    A wildcard does not count, since every client sends one (RFC 9110, section 12.5.1).
    """
    best, found = 0.0, default
    for part in accept.split(","):
        kind, *parameters = (piece.strip() for piece in part.split(";"))
        quality = _quality(parameters)
        if kind.lower() in _OFFERED and quality > best:
            best, found = quality, kind.lower()
    return found


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


def framed(value: object, kind: str) -> bytes:
    """One object of the stream: a line, after a record separator in a sequence (RFC 7464)."""
    line = msgspec.json.encode(value) + b"\n"
    return b"\x1e" + line if kind == JSON_SEQUENCE else line
