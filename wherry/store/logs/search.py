"""Searching a log: which lines match a pattern, long ones that lie in several records too.

Patterns are RE2's: whatever a user asks for, the time is linear in the log's length.
"""

from collections.abc import Callable, Iterable, Iterator

from wherry.base.errors import InvalidParameter
from wherry.store.logs.record import LogEntry

Matches = Callable[[str], bool]


def compile_search(pattern: str) -> Matches:
    """Whether a line holds what the pattern describes; raises InvalidParameter for a bad one."""
    import re2

    options = re2.Options()
    options.log_errors = False
    try:
        compiled = re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0] if error.args else error
        text = reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
        raise InvalidParameter(f"invalid grep pattern {pattern!r}: {text}") from None
    return lambda line: compiled.search(line) is not None


class LineSearch:
    """Lets records of matching lines through; the pieces of an unfinished line wait for its end."""

    def __init__(self, matches: Matches) -> None:
        """`matches` judges whole lines, without their newline."""
        self._matches = matches
        self._pieces: dict[str, list[LogEntry]] = {}

    def feed(self, entries: Iterable[LogEntry]) -> Iterator[LogEntry]:
        """The records of the lines that match and are complete."""
        for entry in entries:
            pieces = self._pieces.setdefault(entry.stream, [])
            pieces.append(entry)
            if entry.log.endswith("\n"):
                yield from self._judge(entry.stream)

    def finish(self) -> Iterator[LogEntry]:
        """The records of unfinished lines that match: there is no more to come."""
        for stream in tuple(self._pieces):
            yield from self._judge(stream)

    def _judge(self, stream: str) -> list[LogEntry]:
        pieces = self._pieces.pop(stream)
        line = "".join(piece.log for piece in pieces)
        return pieces if self._matches(line.removesuffix("\n")) else []
