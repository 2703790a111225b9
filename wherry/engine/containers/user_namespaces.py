"""User namespaces of containers: which ids of the host each has, and who shares one.

Ids come from the ranges that /etc/subuid and /etc/subgid (subuid(5)) give to `wherry`, or to
`dockremap` as Docker calls it; without such a line from one that no account and no other engine
uses. A container keeps its range for life; what is on disk has the image's own ids all the same,
since layers and volumes are mounted with ids mapped.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from wherry.base.errors import InvalidParameter, ResourceExhausted
from wherry.engine.containers.container import Container, IdRange
from wherry.engine.containers.index import ContainerIndex
from wherry.model.docker.container import HostConfig

RANGE_SIZE = 65536
USERS = ("wherry", "dockremap")
DEFAULT_POOL = ((0x7000_0000, 4095 * RANGE_SIZE),)
"""Above systemd's containers (0x80000 to 0x6FFFFFFF, UIDS-GIDS.md), below the sign bit."""

Pool = Sequence[tuple[int, int]]
"""Ranges by first id and size."""


def read_pool(path: Path) -> Pool:
    """The ranges that a subuid(5) file gives to the engine, else the default."""
    try:
        lines = path.read_text().splitlines()
    except FileNotFoundError:
        return DEFAULT_POOL
    for user in USERS:
        found = [
            (int(start), int(count))
            for name, start, count in (line.split(":") for line in lines if line.count(":") == 2)
            if name == user and start.isdecimal() and count.isdecimal()
        ]
        if found:
            return found
    return DEFAULT_POOL


def _starts(pool: Pool) -> Iterator[int]:
    for first, count in pool:
        yield from range(first, first + count - RANGE_SIZE + 1, RANGE_SIZE)


def _overlap(taken: IdRange, uid: int, gid: int) -> bool:
    """Whether a new range has an id of one that is taken, given perhaps from other pools."""
    return abs(taken.uid - uid) < RANGE_SIZE or abs(taken.gid - gid) < RANGE_SIZE


class UserNamespaces:
    """Gives ranges to new containers; says which user namespace a container runs in."""

    def __init__(self, index: ContainerIndex, users: Pool, groups: Pool) -> None:
        self._index = index
        self._users = users
        self._groups = groups
        self._promised: dict[str, IdRange] = {}

    def take(self, identifier: str, host: HostConfig) -> IdRange | None:
        """A range for a container about to be made, None if it needs none of its own.

        Kept for it until `settle`, when its record holds it or it was not made. Raises
        InvalidParameter, ResourceExhausted.
        """
        if host.userns_mode != "auto":
            return None
        donors = list(self._donors(host))
        if donors:
            if any(self.of(donor)[0] is None for donor in donors):
                raise InvalidParameter(
                    "cannot join the namespaces of a container that runs in the host's user "
                    "namespace with --userns auto"
                )
            return None
        records = [container.record.id_range for container in self._index.all()]
        taken = [item for item in (*records, *self._promised.values()) if item]
        for uid, gid in zip(_starts(self._users), _starts(self._groups), strict=False):
            if not any(_overlap(item, uid, gid) for item in taken):
                self._promised[identifier] = IdRange(uid, gid, RANGE_SIZE)
                return self._promised[identifier]
        raise ResourceExhausted(
            f"all {len(taken)} ranges of ids for user namespaces are taken: remove containers, or "
            f"give {USERS[0]} more in /etc/subuid and /etc/subgid"
        )

    def settle(self, identifier: str) -> None:
        """Forgets the promise to a container that has been made, or has not."""
        self._promised.pop(identifier, None)

    def of(self, container: Container) -> tuple[IdRange | None, Container | None]:
        """The range a container runs with, and the container whose user namespace it joins.

        Whoever joins another's network, IPC or pid namespace joins the user namespace that owns
        it, unless told to stay in the host's. Raises InvalidParameter if there are several.
        """
        record = container.record
        if record.host.userns_mode == "host":
            return None, None
        found = [(self.of(donor)[0], donor) for donor in self._donors(record.host)]
        mapped = [(ids, donor) for ids, donor in found if ids is not None]
        if len({ids for ids, _ in mapped}) > 1:
            raise InvalidParameter(
                "cannot join the namespaces of containers in different user namespaces"
            )
        return mapped[0] if mapped else (record.id_range, None)

    def _donors(self, host: HostConfig) -> Iterator[Container]:
        for mode in (host.network_mode, host.ipc_mode, host.pid_mode):
            if mode.startswith("container:"):
                yield self._index.get(mode.removeprefix("container:"))
