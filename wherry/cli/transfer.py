"""How far a copy of unknown or known length has come: a line on a terminal, drawn over again."""

from __future__ import annotations

import sys
import time

from wherry.cli.units import human_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_EVERY = 0.075
_BAR = 40
_CLEAR = "\r\x1b[2K"


class Transfer:
    """Counts bytes, and shows them on standard error where that is a terminal; a context.

    `total` is in bytes, 0 where nobody knows it.
    """

    def __init__(self, title: str, total: int = 0, quiet: bool = False) -> None:
        self.count = 0
        self._title, self._total = title, total
        self._shown = not quiet and sys.stderr.isatty()
        self._next = 0.0

    def __enter__(self) -> Transfer:
        return self

    def __exit__(self, *exception: object) -> None:
        if self._shown and self._next:
            self._write(_CLEAR)

    def add(self, size: int) -> None:
        """So many bytes more."""
        self.count += size
        if self._shown and time.monotonic() >= self._next:
            self._next = time.monotonic() + _EVERY
            self._write(f"{_CLEAR}{self._title} - {self.line()}")

    def line(self) -> str:
        """What is shown: the bytes, and a bar where the total is known."""
        if not self._total:
            return human_size(self.count, 3)
        done = min(self.count * _BAR // self._total, _BAR)
        bar = f"[{'=' * done}>{' ' * (_BAR - done)}]"
        return f"{bar} {human_size(self.count, 3)}/{human_size(self._total, 3)}"

    def through(self, content: Iterable[bytes]) -> Iterator[bytes]:
        """The pieces as they are, counted."""
        for data in content:
            self.add(len(data))
            yield data

    def _write(self, text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()
