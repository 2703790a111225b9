"""The kernel tells who changed the rule set, and which tables."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.support.netns import NetworkNamespace
from wherry.linux.nftables import Nftables, NftablesMissing
from wherry.linux.ruleset_events import RulesetEvents


def _usable() -> str:
    if os.geteuid() != 0:
        return "needs root to make network namespaces"
    try:
        Nftables().close()
    except NftablesMissing as error:
        return error.message
    return ""


pytestmark = pytest.mark.skipif(bool(_usable()), reason=_usable())


@pytest.fixture
def host() -> Iterator[NetworkNamespace]:
    with NetworkNamespace() as made:
        yield made


def change(commands: str) -> None:
    nftables = Nftables()
    try:
        nftables.run(commands)
    finally:
        nftables.close()


def change_by_another(commands: str) -> None:
    """The same from a process that is not ours."""
    script = f"from tests.kernel.test_ruleset_events import change; change({commands!r})"
    subprocess.run([sys.executable, "-c", script], check=True, env={**os.environ})


def test_own_changes_are_told_from_those_of_others(host: NetworkNamespace) -> None:
    events = host.run(RulesetEvents)
    try:
        host.run(change, "add table inet ours")
        [mine] = events.read()
        assert (mine.own, mine.tables) == (True, {"ours"})
        host.run(change_by_another, "add table ip theirs")
        [other] = events.read()
        assert (other.own, other.tables) == (False, {"theirs"})
        host.run(change_by_another, "flush ruleset")
        [flush] = events.read()
        assert flush.tables == {"ours", "theirs"}
        assert events.read() == []
    finally:
        events.close()


def test_a_reader_that_was_too_slow_learns_that_something_was_lost(host: NetworkNamespace) -> None:
    events = host.run(RulesetEvents, 4096)
    try:
        for number in range(100):
            host.run(change, f"add table inet t{number}")
        assert any(item.process == 0 for item in events.read())
    finally:
        events.close()
