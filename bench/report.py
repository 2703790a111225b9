"""Results as a table that is Markdown and reads well as it is, and as JSON."""

import json
from collections.abc import Sequence
from typing import NamedTuple

HEAD = ("what", "who", "median", "best", "times ours", "aim")


class Row(NamedTuple):
    """One measured contender; `unit` is ms or MB, `ratio` its value over ours."""

    case: str
    contender: str
    median: float
    best: float
    ratio: float
    unit: str
    aim: str


def table(rows: Sequence[Row]) -> str:
    """A Markdown table with padded columns; a case is named in its first row."""
    lines = [HEAD]
    previous = ""
    for row in rows:
        first = row.case != previous
        lines.append((
            row.case if first else "", row.contender, _value(row.median, row.unit),
            _value(row.best, row.unit), f"{row.ratio:.2f}", row.aim if first else "",
        ))  # fmt: skip
        previous = row.case
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEAD))]
    rule = tuple("-" * width for width in widths)
    return "\n".join(_line(line, widths) for line in (lines[0], rule, *lines[1:]))


def _value(number: float, unit: str) -> str:
    return f"{number:.{0 if number >= 100 else 1 if number >= 10 else 2}f} {unit}"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
    return f"| {' | '.join(padded)} |"


def as_json(rows: Sequence[Row]) -> str:
    """The same numbers for programs."""
    return json.dumps([row._asdict() for row in rows], indent=1) + "\n"
