"""The order of names in lists."""

from __future__ import annotations


def natural_key(text: str) -> list[tuple[int, int, str]]:
    """Sorts `b2` before `b10`, as docker sorts names."""
    parts: list[tuple[int, int, str]] = []
    for mark in text:
        if mark.isdigit() and parts and parts[-1][0] == 0:
            digits = parts[-1][2] + mark
            parts[-1] = (0, int(digits), digits)
        elif mark.isdigit():
            parts.append((0, int(mark), mark))
        elif parts and parts[-1][0] == 1:
            parts[-1] = (1, 0, parts[-1][2] + mark)
        else:
            parts.append((1, 0, mark))
    return parts
