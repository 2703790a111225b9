"""Go's Sprintf for the verbs that templates use."""

from __future__ import annotations

from wherry.cli.template_values import go_text, go_type
from wherry.client.json_text import dumps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_INTEGER, _FLOAT = "dxXob", "feEgG"


def printf(form: str, *values: Any) -> str:
    """A verb that does not fit its value is told as Go tells it: `%!d(string=x)`."""
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
        elif not verb:
            result += "%!(NOVERB)"
        elif not arguments:
            result += f"%!{verb}(MISSING)"
        else:
            result += _shown(verb, flags, arguments.pop(0))
    result += rest
    if arguments:
        extra = ", ".join(f"{go_type(value)}={go_text(value)}" for value in arguments)
        result += f"%!(EXTRA {extra})"
    return result


def _shown(verb: str, flags: str, value: Any) -> str:
    if isinstance(value, list) and verb in "sqd":
        return f"[{' '.join(_shown(verb, flags, item) for item in value)}]"
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if verb == "v" or (verb == "s" and (isinstance(value, str) or not isinstance(value, int))):
        return f"%{flags}s" % go_text(value)
    if verb == "q" and isinstance(value, str):
        return f"%{flags}s" % dumps(value)
    if verb == "t" and isinstance(value, bool):
        return f"%{flags}s" % go_text(value)
    if verb == "T":
        return f"%{flags}s" % go_type(value)
    if number and isinstance(value, int) and verb in _INTEGER:
        return bin(value)[2:] if verb == "b" else f"%{flags}{verb}" % value
    if number and isinstance(value, float) and verb in _FLOAT:
        return f"%{flags}{verb}" % value
    if isinstance(value, str) and verb in "xX":
        return f"%{verb}" % int.from_bytes(value.encode(), "big") if value else ""
    return f"%!{verb}({go_type(value)}={go_text(value)})"
