"""Shell patterns as Go's path.Match reads them: a star ends at a slash."""

import re

from wherry.base.errors import InvalidParameter


def compile_pattern(text: str) -> re.Pattern[str]:
    """The pattern as a regular expression; raises InvalidParameter."""
    out, position = "", 0
    while position < len(text):
        char = text[position]
        position += 1
        if char == "*":
            out += "[^/]*"
        elif char == "?":
            out += "[^/]"
        elif char == "\\" and position < len(text):
            out += re.escape(text[position])
            position += 1
        elif char == "[":
            end = text.find("]", position + 1)
            if end < 0:
                raise InvalidParameter("syntax error in pattern")
            out += _members(text[position:end])
            position = end + 1
        else:
            out += re.escape(char)
    try:
        return re.compile(out, re.DOTALL)
    except re.error:
        raise InvalidParameter("syntax error in pattern") from None


def _members(text: str) -> str:
    negated = text.startswith("^")
    members = re.sub(r"([\[\]^])", r"\\\1", text.removeprefix("^"))
    return f"[{'^' if negated else ''}{members}]"
