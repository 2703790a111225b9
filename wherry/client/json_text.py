"""JSON without importing `json`, whose regular expressions cost a fifth of the CLI's start.

CPython's accelerator `_json` does the work; elsewhere the standard module stands in.
"""

from __future__ import annotations

from wherry.client.errors import ClientError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any


try:
    import _json
except ImportError:
    import json

    _scan: Callable[[str, int], tuple[Any, int]] = json.JSONDecoder(strict=False).raw_decode

    def _encoded(value: Any, level: int) -> Iterable[str]:
        return [json.dumps(value, separators=(",", ":"), ensure_ascii=False)]

    _encode: Callable[[Any, int], Iterable[str]] = _encoded

    def _quoted(text: str) -> str:
        return json.dumps(text, ensure_ascii=False)

    _quote: Callable[[str], str] = _quoted

else:

    class _Settings:
        """The attributes that the C scanner reads from its context."""

        strict = False
        object_hook = None
        object_pairs_hook = None
        parse_float = float
        parse_int = int
        parse_constant = float

    def _refuse(value: object) -> object:
        raise TypeError(f"{type(value).__name__} has no JSON form")

    # The scanner takes any object with these attributes; its stub asks for a scanner.
    _scan = _json.make_scanner(_Settings)  # type: ignore[arg-type]
    _quote = _json.encode_basestring
    _encode = _json.make_encoder(None, _refuse, _quote, None, ":", ",", False, False, True)


def scan(text: str, start: int = 0) -> tuple[Any, int]:
    """One JSON value and the index after it; raises `IndexError` where the text ends too soon."""
    while start < len(text) and text[start] in " \t\r\n":
        start += 1
    try:
        return _scanned(text, start)
    except StopIteration as stop:
        if stop.value is not None and stop.value >= len(text):
            raise IndexError(start) from None
        raise ClientError(f"invalid JSON in the answer at {start}") from None
    except ValueError as error:
        if "Unterminated string" in str(error) or str(error).endswith(f"(char {len(text)})"):
            raise IndexError(start) from None
        raise ClientError(f"invalid JSON in the answer: {error}") from None


def _scanned(text: str, start: int) -> tuple[Any, int]:
    """CPython's scanner finds its exception's class only where `json.decoder` was imported."""
    try:
        return _scan(text, start)
    except SystemError:
        import json.decoder  # noqa: F401

        return _scan(text, start)


def loads(data: bytes | str) -> Any:
    """The value of a whole JSON text."""
    text = data.decode("utf-8", "replace") if isinstance(data, bytes) else data
    try:
        return scan(text)[0]
    except IndexError:
        raise ClientError("unexpected EOF") from None


def dumps(value: Any) -> str:
    """Compact JSON, characters outside ASCII as they are."""
    return "".join(_encode(value, 0))


def escape_html(text: str) -> str:
    """The escapes that Go's `json.Marshal` adds to a JSON text."""
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def indent(value: Any, step: str = "    ", margin: str = "") -> str:
    """JSON over several lines, laid out as Go's `json.Indent` does."""
    if isinstance(value, dict) and value:
        inner = margin + step
        parts = [f"{inner}{_quote(k)}: {indent(v, step, inner)}" for k, v in value.items()]
        return "{\n" + ",\n".join(parts) + "\n" + margin + "}"
    if isinstance(value, list) and value:
        inner = margin + step
        parts = [inner + indent(v, step, inner) for v in value]
        return "[\n" + ",\n".join(parts) + "\n" + margin + "]"
    return dumps(value)


class JsonStream:
    """Cuts a byte stream of concatenated JSON values, as /events and progress are, into values."""

    def __init__(self) -> None:
        self._pending = b""

    def feed(self, data: bytes) -> list[Any]:
        """The values completed by these bytes."""
        self._pending += data
        if b"}" not in data and b"]" not in data:
            return []
        try:
            text = self._pending.decode()
        except UnicodeDecodeError:
            return []
        values = []
        position = 0
        while position < len(text):
            try:
                value, position = scan(text, position)
            except IndexError:
                break
            values.append(value)
            while position < len(text) and text[position] in " \t\r\n\x1e":
                position += 1
        self._pending = text[position:].encode()
        return values
