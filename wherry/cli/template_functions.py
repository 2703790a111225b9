"""The functions that docker's templates know, and how Go prints values."""

from __future__ import annotations

from wherry.cli.errors import CliError
from wherry.client.json_text import dumps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def go_text(value: Any) -> str:
    """A value as Go's %v prints it."""
    if value is None:
        return "<no value>"
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, dict):
        pairs = (f"{key}:{_nested(value[key])}" for key in sorted(value))
        return f"map[{' '.join(pairs)}]"
    if isinstance(value, list | tuple):
        return f"[{' '.join(_nested(item) for item in value)}]"
    if isinstance(value, float):
        return f"{value:g}" if abs(value) < 1e21 else repr(value)
    return str(value)


def _nested(value: Any) -> str:
    return "<nil>" if value is None else go_text(value)


def truth(value: Any) -> bool:
    """Whether Go's templates take the value as true."""
    return bool(value)


def _index(value: Any, *keys: Any) -> Any:
    for key in keys:
        if isinstance(value, dict):
            value = value.get(key)
        elif isinstance(value, list | tuple | str):
            if not isinstance(key, int) or not 0 <= key < len(value):
                raise CliError(f"error calling index: reflect: slice index out of range: {key}")
            value = value[key]
        else:
            raise CliError("error calling index: index of untyped nil")
    return value


def _json(value: Any) -> str:
    as_json = getattr(value, "as_json", None)
    return dumps(as_json() if as_json else value)


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
    return value[bounds[0] if bounds else 0 : bounds[1] if len(bounds) > 1 else len(value)]


def _comparable(left: Any, right: Any) -> tuple[Any, Any]:
    if isinstance(left, str) != isinstance(right, str):
        raise CliError("error calling eq: incompatible types for comparison")
    return left, right


def _eq(first: Any, *others: Any) -> bool:
    return any(pair[0] == pair[1] for pair in (_comparable(first, other) for other in others))


def _ne(left: Any, right: Any) -> bool:
    if left is None or right is None:
        return left is not right
    return bool(left != right)


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

    return escape_query(text)
