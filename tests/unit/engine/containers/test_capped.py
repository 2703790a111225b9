"""What an engine without CAP_SYS_RESOURCE says of limits that it cannot give."""

from wherry.engine.containers.capped import capping_warnings
from wherry.linux.bounds import Bounds
from wherry.model.docker.container import HostConfig, Ulimit

BOUNDS = Bounds({"nofile": 1024}, oom_score=0)


def test_limits_and_scores_that_are_capped_are_told_with_what_is_given() -> None:
    host = HostConfig(ulimits=[Ulimit("nofile", 10, 4096)], oom_score_adj=-500)
    limit, score = capping_warnings(host, BOUNDS)
    assert "nofile" in limit
    assert "4096" in limit
    assert "1024" in limit
    assert "-500" in score


def test_unlimited_is_more_than_any_bound() -> None:
    host = HostConfig(ulimits=[Ulimit("nofile", -1, -1)])
    assert len(list(capping_warnings(host, BOUNDS))) == 1


def test_what_can_be_given_needs_no_words() -> None:
    host = HostConfig(ulimits=[Ulimit("nofile", 10, 1024), Ulimit("core", -1, -1)])
    assert list(capping_warnings(host, BOUNDS)) == []
    greedy = HostConfig(ulimits=[Ulimit("nofile", 10, 4096)], oom_score_adj=-500)
    assert list(capping_warnings(greedy, None)) == []
