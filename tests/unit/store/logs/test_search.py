"""Searching logs by lines."""

import pytest

from wherry.base.errors import InvalidParameter
from wherry.store.logs.record import LogEntry
from wherry.store.logs.search import LineSearch, compile_search


def entry(log: str, stream: str = "stdout") -> LogEntry:
    return LogEntry(log, stream, "2026-01-01T00:00:00Z")


def test_lines_that_match_come_through_in_order() -> None:
    search = LineSearch(compile_search("err(or)?"))
    found = list(search.feed([entry("error 1\n"), entry("fine\n"), entry("err 2\n")]))
    assert [item.log for item in found] == ["error 1\n", "err 2\n"]


def test_a_long_line_is_judged_whole_even_where_another_stream_writes_between() -> None:
    search = LineSearch(compile_search("^begin.*end$"))
    pieces = [entry("begin "), entry("x\n", "stderr"), entry("middle "), entry("end\n")]
    assert [item.log for item in search.feed(pieces)] == ["begin ", "middle ", "end\n"]


def test_an_unfinished_line_is_judged_when_there_is_no_more() -> None:
    search = LineSearch(compile_search("half"))
    assert list(search.feed([entry("half a line")])) == []
    assert [item.log for item in search.finish()] == ["half a line"]


def test_a_pattern_that_would_take_for_ever_elsewhere_is_harmless() -> None:
    matches = compile_search("(a+)+$")
    assert not matches("a" * 100_000 + "b")


def test_a_bad_pattern_is_named() -> None:
    with pytest.raises(InvalidParameter, match=r"invalid grep pattern '\('"):
        compile_search("(")
