"""Control groups that systemd makes: a scope for each container (systemd.scope(5)).

Where systemd runs, the tree of version 2 is its own: a group that others make there may lose its
controllers whenever it likes. So it is asked for a transient scope with `Delegate=yes`, told the
limits that it would otherwise write over, and what it has no word for is written by ourselves.
The path tells: a group whose name ends in `.scope` is systemd's.

What talks to systemd is loaded when it is needed: elsewhere it would only cost time and memory.
"""

import errno
import posixpath
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from wherry.linux.cgroup.layout import read_value
from wherry.linux.cgroup.resources import Resources
from wherry.linux.cgroup.weights import cpu_weight, swap_bytes

if TYPE_CHECKING:
    from wherry.linux.systemd import Property, Systemd

_UNLIMITED = (1 << 64) - 1
_PERIOD = 100_000
_BUSY_SECONDS = 10.0
_EXISTS = "org.freedesktop.systemd1.UnitExists"
_UNKNOWN = "org.freedesktop.systemd1.NoSuchUnit"


def is_scope(path: str) -> bool:
    """Whether systemd has the care of the group at a path."""
    return path.endswith(".scope")


def is_slice(name: str) -> bool:
    """Whether a name is one of a slice, as the parent of a scope must be (systemd.slice(5))."""
    stem = name.removesuffix(".slice")
    if not name.endswith(".slice") or "/" in name:
        return False
    return stem == "-" or (bool(stem) and all(stem.split("-")))


def slice_path(name: str) -> str:
    """The path of a slice's group: `a-b.slice` lies in `a.slice`, `-.slice` is the root."""
    parts = name.removesuffix(".slice").split("-")
    if name == "-.slice":
        return ""
    names = ["-".join(parts[: count + 1]) for count in range(len(parts))]
    return "".join(f"/{each}.slice" for each in names)


def make_scope(
    path: str, processes: Sequence[int], description: str, *,
    resources: Resources | None = None, after: Sequence[str] = (), stop_seconds: int = 10,
) -> None:  # fmt: skip
    """Has systemd make the scope at `path` with these processes in it; raises SystemdError.

    It ends by itself with its last process. `after` are units that end later than it when the
    machine goes down; `stop_seconds` is how long its processes then have after SIGTERM.
    """
    from wherry.linux.systemd import Systemd, SystemdError

    name, parent = posixpath.basename(path), posixpath.basename(posixpath.dirname(path))
    properties: list[Property] = [
        ("Description", "s", description),
        ("Slice", "s", parent or "-.slice"),
        ("Delegate", "b", True),
        ("PIDs", "au", list(processes)),
        ("CollectMode", "s", "inactive-or-failed"),
        ("TimeoutStopUSec", "t", stop_seconds * 1_000_000),
        ("After", "as", list(after)),
        *limit_properties(resources or Resources(), path=path, made=False),
    ]
    deadline = time.monotonic() + _BUSY_SECONDS
    with Systemd() as systemd:
        while True:
            try:
                systemd.start_transient(name, properties)
                return
            except SystemdError as error:
                # The scope of the last run, which systemd has not put away yet.
                if error.name != _EXISTS or time.monotonic() > deadline:
                    raise
                _stop(systemd, name)


def load() -> None:
    """Loads what talks to systemd, for a process that forks others which will."""
    import wherry.linux.systemd  # noqa: F401


def _stop(systemd: "Systemd", name: str) -> None:
    from wherry.linux.systemd import SystemdError

    try:
        systemd.reset_failed(name)
        systemd.stop(name)
    except SystemdError as error:
        if error.name != _UNKNOWN:
            raise


def change_scope(path: str, resources: Resources, directory: str) -> None:
    """Tells systemd new limits of a scope, so that it does not write the old ones again."""
    properties = list(limit_properties(resources, path=directory, made=True))
    if properties:
        from wherry.linux.systemd import Systemd

        with Systemd() as systemd:
            systemd.set_properties(posixpath.basename(path), properties)


def limit_properties(resources: Resources, *, path: str, made: bool) -> Iterator["Property"]:
    """The limits that systemd has a word for (systemd.resource-control(5)).

    For a group that is `made`, `path` is its directory and what is not given stays as it is.
    """
    if resources.memory_limit:
        yield "MemoryMax", "t", _limit(resources.memory_limit)
    swap = swap_bytes(resources.memory_limit, resources.memory_swap)
    if swap is not None:
        yield "MemorySwapMax", "t", _limit(swap)
    if resources.memory_reservation:
        yield "MemoryLow", "t", _limit(resources.memory_reservation)
    if resources.cpu_shares:
        yield "CPUWeight", "t", cpu_weight(resources.cpu_shares)
    if resources.cpu_quota or resources.cpu_period:
        yield from _quota(resources, read_value(path, "cpu.max") if made else "")
    if resources.pids_limit is not None:
        yield "TasksMax", "t", _limit(resources.pids_limit or -1)
    elif not made:
        yield "TasksMax", "t", _UNLIMITED  # else DefaultTasksMax= holds
    if resources.cpuset_cpus:
        yield "AllowedCPUs", "ay", cpu_mask(resources.cpuset_cpus)
    if resources.cpuset_mems:
        yield "AllowedMemoryNodes", "ay", cpu_mask(resources.cpuset_mems)


def _limit(value: int) -> int:
    return value if value >= 0 else _UNLIMITED


def _quota(resources: Resources, present: str) -> Iterator["Property"]:
    words = present.split()
    period = resources.cpu_period or int(words[1] if words else _PERIOD)
    quota = resources.cpu_quota
    if not quota and words and words[0] != "max":
        quota = int(words[0])
    yield "CPUQuotaPeriodUSec", "t", period
    if quota <= 0:
        yield "CPUQuotaPerSecUSec", "t", _UNLIMITED
        return
    # systemd takes less than a percent of a processor for no limit when it is reloaded.
    yield "CPUQuotaPerSecUSec", "t", max(quota * 1_000_000 // period, 10_000)


def cpu_mask(text: str) -> bytes:
    """The bits of a list such as `0-2,5`, lowest first; raises OSError for other text."""
    mask = 0
    for part in text.split(","):
        first, _, last = part.strip().partition("-")
        if not first.isdecimal() or (last and not last.isdecimal()):
            raise OSError(errno.EINVAL, f'"{text}" is not a list of numbers')
        for number in range(int(first), int(last or first) + 1):
            mask |= 1 << number
    return mask.to_bytes((mask.bit_length() + 7) // 8 or 1, "little")
