"""Measuring contenders in turn, so that whatever else the machine does hits all of them alike."""

import statistics
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

Step = Callable[[], None]

WARM_UPS = 2
"""Runs of each contender that are not counted."""


class Case(NamedTuple):
    """One row: what is done by each contender, the first of which is the one compared with."""

    name: str
    contenders: Mapping[str, Step]
    rounds: int
    aim: str = ""


class Result(NamedTuple):
    """One contender's numbers: milliseconds, and its time over the first contender's."""

    contender: str
    median: float
    best: float
    ratio: float


def measure(case: Case) -> list[Result]:
    """Runs a case in rounds; in each round every contender has one turn, in a rotating order."""
    names = list(case.contenders)
    for name in names * WARM_UPS:
        case.contenders[name]()
    times: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(case.rounds):
        shift = turn % len(names)
        for name in names[shift:] + names[:shift]:
            begun = time.perf_counter()
            case.contenders[name]()
            times[name].append((time.perf_counter() - begun) * 1000)
    return [summary(name, times[name], times[names[0]]) for name in names]


def summary(name: str, own: list[float], reference: list[float]) -> Result:
    """The ratio is the median of the rounds' ratios: both of a pair met the same weather."""
    ratios = [one / other for one, other in zip(own, reference, strict=True)]
    return Result(name, statistics.median(own), min(own), statistics.median(ratios))
