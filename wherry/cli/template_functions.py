"""The functions that docker's templates know."""

from __future__ import annotations

from wherry.cli.template_values import for_json, go_text, go_type, truth
from wherry.client.json_text import dumps, escape_html

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class FunctionError(Exception):
    """Why a function cannot do its work; the template adds which and where."""


def _index(value: Any, *keys: Any) -> Any:
    for key in keys:
        if value is None:
            raise FunctionError("index of untyped nil")
        if isinstance(value, dict):
            value = value.get(key)
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


def _printf(form: str, *values: Any) -> str:
    """Go's Sprintf for the verbs that templates use."""
    result, rest, arguments = "", form, list(values)
    while "%" in rest:
        head, _, rest = rest.partition("%")
        result += head
        flags = ""
        while rest and rest[0] in "-+# 0123456789.":
            flags, rest = flags + rest[0], rest[1:]
        verb, rest = rest[:1], rest[1:]
        if verb == "%":
            result += "%"
            continue
        if not arguments:
            result += f"%!{verb}(MISSING)"
            continue
        value = arguments.pop(0)
        if verb == "q":
            result += dumps(str(value))
        elif verb in "vst":
            result += f"%{flags}s" % go_text(value)
        elif verb in "dxXofeEgG":
            result += f"%{flags}{verb}" % value
        else:
            result += f"%!{verb}({go_text(value)})"
    return result + rest


def _print(*values: Any) -> str:
    """Go's Sprint: a space between two operands neither of which is text."""
    result = ""
    for index, value in enumerate(values):
        if index and not isinstance(value, str) and not isinstance(values[index - 1], str):
            result += " "
        result += go_text(value)
    return result


def _title(text: str) -> str:
    return " ".join(word[:1].upper() + word[1:] for word in text.split(" "))


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


def _comparable(left: Any, right: Any) -> tuple[Any, Any]:
    if isinstance(left, str) != isinstance(right, str):
        raise FunctionError("incompatible types for comparison")
    return left, right


def _eq(first: Any, *others: Any) -> bool:
    return any(pair[0] == pair[1] for pair in (_comparable(first, other) for other in others))


def _ne(left: Any, right: Any) -> bool:
    if left is None or right is None:
        return left is not right
    return bool(left != right)


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
    "eq": _eq,
    "ge": lambda left, right: left >= right,
    "gt": lambda left, right: left > right,
    "html": lambda text: (
        str(text)
        .replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace('"', "&#34;")
        .replace("'", "&#39;")
    ),
    "index": _index,
    "join": lambda items, separator: str(separator).join(go_text(item) for item in items or ()),
    "js": lambda text: "".join(_JS.get(mark, mark) for mark in str(text)),
    "json": _json,
    "le": lambda left, right: left <= right,
    "len": lambda value: len(value or ()),
    "lower": lambda text: str(text).lower(),
    "lt": lambda left, right: left < right,
    "ne": _ne,
    "not": lambda value: not truth(value),
    "pad": _pad,
    "print": _print,
    "printf": _printf,
    "println": lambda *values: " ".join(go_text(value) for value in values) + "\n",
    "slice": _slice,
    "split": lambda text, separator: str(text).split(separator),
    "table": lambda text: text,
    "title": lambda text: _title(str(text)),
    "truncate": lambda text, size: str(text)[:size],
    "upper": lambda text: str(text).upper(),
    "urlquery": lambda text: _urlquery(str(text)),
}


def _urlquery(text: str) -> str:
    from wherry.client.query import escape_query

    return escape_query(text).replace("%20", "+")
