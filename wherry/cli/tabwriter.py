"""Columns of text, aligned as Go's text/tabwriter does with spaces."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def align(text: str, minimum: int = 10, padding: int = 3) -> str:
    """Aligns tab-separated cells; a column ends at the first line that lacks its cell.

    The last cell of a line belongs to no column and gets no padding.
    """
    lines = [line.split("\t") for line in text.split("\n")]
    written: list[str] = []
    _block(lines, 0, len(lines), [], written, minimum, padding)
    return "\n".join(written)


def _emit(lines: Sequence[list[str]], widths: list[int], written: list[str]) -> None:
    for cells in lines:
        parts = []
        for index, cell in enumerate(cells):
            if index < len(widths) and index < len(cells) - 1:
                cell = cell.ljust(widths[index])
            parts.append(cell)
        written.append("".join(parts))


def _block(
    lines: Sequence[list[str]],
    start: int,
    end: int,
    widths: list[int],
    written: list[str],
    minimum: int,
    padding: int,
) -> None:
    column = len(widths)
    index = start
    while index < end:
        if column >= len(lines[index]) - 1:
            index += 1
            continue
        _emit(lines[start:index], widths, written)
        start = index
        width = minimum
        while index < end and column < len(lines[index]) - 1:
            width = max(width, len(lines[index][column]) + padding)
            index += 1
        widths.append(width)
        _block(lines, start, index, widths, written, minimum, padding)
        widths.pop()
        start = index
    _emit(lines[start:end], widths, written)
