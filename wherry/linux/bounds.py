"""What a process may not exceed without CAP_SYS_RESOURCE: its hard limits and its OOM score."""

import resource
from collections.abc import Mapping

import msgspec

from wherry.linux.capability import effective_names


class Bounds(msgspec.Struct, frozen=True):
    """Hard limits by their lower-case names without `rlimit_` (setrlimit(2)), and the score."""

    hard_limits: Mapping[str, int]
    oom_score: int


def own_bounds() -> Bounds | None:
    """Those of the caller, None if it may exceed them (capabilities(7))."""
    if "CAP_SYS_RESOURCE" in effective_names():
        return None
    limits = {
        name.removeprefix("RLIMIT_").lower(): resource.getrlimit(number)[1]
        for name, number in vars(resource).items()
        if name.startswith("RLIMIT_")
    }
    unlimited = resource.RLIM_INFINITY
    with open("/proc/self/oom_score_adj") as file:
        score = int(file.read())
    return Bounds({name: hard for name, hard in limits.items() if hard != unlimited}, score)
