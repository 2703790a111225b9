"""What this engine may not give to containers, and says so: it gives as much as it may. Pure."""

from collections.abc import Iterator

from wherry.linux.bounds import Bounds
from wherry.model.docker.container import HostConfig

_WITHOUT = "which cannot be passed without CAP_SYS_RESOURCE"


def capping_warnings(host: HostConfig, bounds: Bounds | None) -> Iterator[str]:
    """A line for each limit that is capped and each score that is raised."""
    if bounds is None:
        return
    for item in host.ulimits or ():
        own = bounds.hard_limits.get(item.name)
        if own is not None and (item.hard > own or item.hard < 0):
            yield (f"Ulimit {item.name}: the hard limit {item.hard} is above the engine's own, "
                   f"{own}, {_WITHOUT}. Capped.")  # fmt: skip
    if host.oom_score_adj < bounds.oom_score:
        yield (f"OomScoreAdj {host.oom_score_adj} is below the engine's own, {bounds.oom_score}, "
               f"{_WITHOUT}. Raised.")  # fmt: skip
