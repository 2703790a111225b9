"""Patterns of `docker images --filter reference=`."""

import pytest

from wherry.base.errors import InvalidParameter
from wherry.engine.images.patterns import compile_pattern


@pytest.mark.parametrize(
    ("pattern", "name", "matches"),
    [
        ("busy*", "busybox", True),
        ("*", "a/b", False),
        ("*/b", "a/b", True),
        ("busybo?", "busybox", True),
        ("a?b", "a/b", False),
        ("[a-c]x", "bx", True),
        ("[^a-c]x", "bx", False),
        (r"a\*", "a*", True),
        (r"a\*", "ab", False),
        ("a.b", "axb", False),
        ("", "", True),
    ],
)
def test_a_pattern_matches_as_go_s_does(pattern: str, name: str, matches: bool) -> None:
    assert (compile_pattern(pattern).fullmatch(name) is not None) is matches


@pytest.mark.parametrize("pattern", ["[", "[a", "[z-a]"])
def test_a_bad_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(InvalidParameter, match="syntax error in pattern"):
        compile_pattern(pattern)
