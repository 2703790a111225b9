"""Filters of list and prune, and the forms of time that clients send."""

import pytest

from wherry.base.errors import InvalidParameter
from wherry.engine.filters import (
    check_filters,
    flag,
    kept_by_labels,
    matches_labels,
    parse_duration,
    parse_moment,
    until,
)

NOW = 2_000_000_000 * 10**9


def test_an_unknown_filter_is_refused_in_dockers_words() -> None:
    with pytest.raises(InvalidParameter, match="invalid filter 'colour'"):
        check_filters({"colour": ["red"]}, {"name"})


def test_all_labels_must_match() -> None:
    labels = {"a": "1", "b": "2"}
    assert matches_labels(labels, ["a", "b=2"])
    assert not matches_labels(labels, ["a", "b=3"])
    assert not matches_labels(None, ["a"])


def test_prune_spares_what_has_an_excluded_label_or_lacks_a_wanted_one() -> None:
    assert kept_by_labels({"keep": ""}, {"label!": ["keep"]})
    assert kept_by_labels({}, {"label": ["old"]})
    assert not kept_by_labels({"old": "1"}, {"label": ["old=1"], "label!": ["keep"]})


def test_flags_take_dockers_words_only() -> None:
    assert flag({"dangling": ["true"]}, "dangling") is True
    assert flag({"dangling": ["0"]}, "dangling") is False
    assert flag({}, "dangling") is None
    with pytest.raises(InvalidParameter):
        flag({"dangling": ["maybe"]}, "dangling")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("1700000000", 1700000000 * 10**9),
        ("1700000000.000000005", 1700000000 * 10**9 + 5),
        ("10m", NOW - 600 * 10**9),
        ("1h30m", NOW - 5400 * 10**9),
        ("2023-11-14T22:13:20Z", 1700000000 * 10**9),
        ("2023-11-14T22:13:20.5Z", 1700000000 * 10**9 + 5 * 10**8),
        ("2023-11-14T23:13:20.123456789+01:00", 1700000000 * 10**9 + 123456789),
    ],
)
def test_times_are_read_in_every_form_that_docker_takes(text: str, moment: int) -> None:
    assert parse_moment(text, NOW) == moment


def test_other_text_is_no_time() -> None:
    with pytest.raises(InvalidParameter, match="yesterday"):
        parse_moment("yesterday", NOW)
    assert parse_duration("5 minutes") is None
    assert parse_duration("") is None


def test_only_one_until_is_taken() -> None:
    assert until({"until": ["10m"]}, NOW) == NOW - 600 * 10**9
    with pytest.raises(InvalidParameter):
        until({"until": ["1m", "2m"]}, NOW)
