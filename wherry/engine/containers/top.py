"""What runs in a container, as the host's ps tells it."""

import re
import subprocess

import msgspec

from wherry.base.errors import InternalError, InvalidParameter
from wherry.engine.containers.activity import check_running
from wherry.engine.containers.defaults import ContainerDefaults
from wherry.engine.containers.groups import group_of
from wherry.engine.containers.index import ContainerIndex
from wherry.engine.pools import Pools
from wherry.engine.system.event_bus import EventBus

_PS_SECONDS = 10.0
_RENAMED_PID = re.compile(r"\s+([^\s]*)=\s*(PID[^\s]*)")


class Processes(msgspec.Struct, frozen=True, rename="pascal"):
    """ps's columns, and a row for each process."""

    titles: list[str]
    processes: list[list[str]]


class ContainerTop:
    """Lists the processes of running containers."""

    def __init__(
        self, index: ContainerIndex, defaults: ContainerDefaults, pools: Pools, events: EventBus
    ) -> None:
        self._index = index
        self._defaults = defaults
        self._pools = pools
        self._events = events

    async def __call__(self, reference: str, arguments: str) -> Processes:
        """ps with these arguments (`-ef` if none), its rows those of the container.

        Raises NoSuchContainer, ContainerNotRunning, InvalidParameter and, with ps's own words,
        InternalError.
        """
        words = check_arguments(arguments or "-ef")
        container = self._index.get(reference)
        check_running(container)
        group = group_of(container, self._defaults)
        pids = await self._pools.run("stats", group.processes)
        output = await self._pools.run("stats", _run_ps, words, pids)
        self._events.publish("container", "top", container.id, container.attributes())
        return parse_ps(output, frozenset(pids))


def check_arguments(text: str) -> list[str]:
    """ps's arguments; raises InvalidParameter for one that gives another column PID's name."""
    for found in _RENAMED_PID.finditer(text):
        if found[1].lower() != "pid":
            raise InvalidParameter(f'specifying "{found[1]}={found[2]}" is not allowed')
    return text.split()


def _run_ps(words: list[str], pids: list[int]) -> str:
    # Some options, such as f, cannot be used together with q: then without it.
    for command in (["ps", *words, "-q", ",".join(map(str, pids))], ["ps", *words]):
        try:
            done = subprocess.run(
                command, capture_output=True, timeout=_PS_SECONDS, check=False, text=True,
                errors="replace",
            )  # fmt: skip
        except FileNotFoundError:
            raise InternalError("ps is not installed on the host: install procps") from None
        except subprocess.TimeoutExpired:
            raise InternalError("ps does not end in time") from None
        if done.returncode == 0:
            return done.stdout
    first = done.stderr.split("\n", 1)[0]
    raise InvalidParameter(f"ps: {first or f'exit status {done.returncode}'}")


def parse_ps(output: str, pids: frozenset[int]) -> Processes:
    """The rows of these processes, and of their threads where ps shows them."""
    lines = output.splitlines()
    titles = lines[0].split() if lines else []
    if "PID" not in titles:
        raise InternalError("Couldn't find PID field in ps output")
    column = titles.index("PID")
    rows: list[list[str]] = []
    contained = False
    for line in lines[1:]:
        fields = line.split()
        if len(fields) <= column:
            continue
        if fields[column] == "-":  # a thread of the process above
            if contained:
                rows.append(_row(fields, len(titles)))
            continue
        if not fields[column].isdecimal():
            raise InternalError(f"Unexpected pid '{fields[column]}'")
        contained = int(fields[column]) in pids
        if contained:
            rows.append(_row(fields, len(titles)))
    return Processes(titles, rows)


def _row(fields: list[str], count: int) -> list[str]:
    """The last column takes the rest of the line."""
    return [*fields[: count - 1], " ".join(fields[count - 1 :])]
