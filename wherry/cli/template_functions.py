"""The functions that docker's templates know."""

from __future__ import annotations

from wherry.cli.template_printf import printf
from wherry.cli.template_values import (
    FunctionError,
    GoRaw,
    GoStruct,
    equal,
    for_json,
    go_text,
    go_type,
    less,
    truth,
)
from wherry.client.json_text import dumps, escape_html

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _index(value: Any, *keys: Any) -> Any:
    for key in keys:
        if value is None:
            raise FunctionError("index of untyped nil")
        if isinstance(value, dict):
            texts = not isinstance(value, GoStruct | GoRaw) and all(map(_is_text, value.values()))
            value = value.get(key, "" if texts else None)
        elif isinstance(value, list | tuple | str):
            if not isinstance(key, int):
                raise FunctionError(f"cannot index slice/array with type {go_type(key)}")
            if not 0 <= key < len(value):
                raise FunctionError(f"index out of range: {key}")
            value = ord(value[key]) if isinstance(value, str) else value[key]
        else:
            raise FunctionError(f"can't index item of type {go_type(value)}")
    return value


def _json(value: Any) -> str:
    text = dumps(for_json(value))
    return escape_html(text) if getattr(value, "escapes_html", False) else text


def _pad(text: Any, before: int, after: int) -> str:
    return f"{' ' * before}{text}{' ' * after}" if text else ""


def _print(*values: Any) -> str:
    """Go's Sprint: a space between two operands neither of which is text."""
    result = ""
    for index, value in enumerate(values):
        if index and not isinstance(value, str) and not isinstance(values[index - 1], str):
            result += " "
        result += go_text(value)
    return result


def _title(text: str) -> str:
    """The letters after anything but letters, digits and underscores as capitals."""
    return "".join(
        mark if text[at - 1 : at].isalnum() or text[at - 1 : at] == "_" else mark.upper()
        for at, mark in enumerate(text)
    )


def _len(value: Any) -> int:
    if value is None or isinstance(value, bool | int | float):
        raise FunctionError(
            f"len of {'nil pointer' if value is None else 'type ' + go_type(value)}"
        )
    return len(value.encode() if isinstance(value, str) else value)


def _slice(value: Any, *bounds: int) -> Any:
    if value is None:
        raise FunctionError("slice of untyped nil")
    for bound in bounds:
        if not 0 <= bound <= len(value):
            raise FunctionError(f"index out of range: {bound}")
    start, end = (*bounds, *(0, len(value))[len(bounds) :])[:2]
    if start > end:
        raise FunctionError(f"invalid slice index: {start} > {end}")
    return value[start:end]


_JS = {
    "'": "\\'",
    '"': '\\"',
    "\\": "\\\\",
    "<": "\\u003C",
    ">": "\\u003E",
    "&": "\\u0026",
    "=": "\\u003D",
    "\n": "\\u000A",
}

FUNCTIONS: dict[str, Callable[..., Any]] = {
    "eq": equal,
    "ge": lambda left, right: not less(left, right),
    "gt": lambda left, right: not (less(left, right) or equal(left, right)),
    "html": lambda text: (
        go_text(text)
        .replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace('"', "&#34;")
        .replace("'", "&#39;")
    ),
    "index": _index,
    "join": lambda items, separator: str(separator).join(go_text(item) for item in items or ()),
    "js": lambda text: "".join(_JS.get(mark, mark) for mark in go_text(text)),
    "json": _json,
    "le": lambda left, right: less(left, right) or equal(left, right),
    "len": _len,
    "lower": lambda text: text.lower(),
    "lt": less,
    "ne": lambda left, right: not equal(left, right),
    "not": lambda value: not truth(value),
    "pad": _pad,
    "print": _print,
    "printf": printf,
    "println": lambda *values: " ".join(go_text(value) for value in values) + "\n",
    "slice": _slice,
    "split": lambda text, separator: text.split(separator) if separator else list(text),
    "table": lambda text: text,
    "title": _title,
    "truncate": lambda text, size: text[:size],
    "upper": lambda text: text.upper(),
    "urlquery": lambda text: _urlquery(go_text(text)),
}


HEADING_FUNCTIONS: dict[str, Callable[..., Any]] = {
    **FUNCTIONS,
    "json": lambda text: text,
    "lower": lambda text: text,
    "title": lambda text: text,
    "truncate": lambda text, size: text,
    "upper": lambda text: text,
}
"""Above a table these leave the heading as it is (docker's templates.HeaderFunctions)."""


def _urlquery(text: str) -> str:
    from wherry.client.query import escape_query

    return escape_query(text).replace("%20", "+")


TEXTS: dict[str, tuple[int, ...]] = {
    "lower": (0,),
    "split": (0, 1),
    "title": (0,),
    "truncate": (0,),
    "upper": (0,),
}
"""The arguments, by function, that must be texts."""
