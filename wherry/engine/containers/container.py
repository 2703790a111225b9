"""A container: its record, which is kept on disk, and what lives with this daemon."""

import asyncio
import os
import select
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from wherry.base.clock import ZERO_TIME
from wherry.model.docker.container import (
    ContainerConfig,
    EndpointSettings,
    HostConfig,
    SecretOptions,
)
from wherry.network.endpoint import Endpoint
from wherry.supervisor.client import MonitorConnection
from wherry.supervisor.messages import AttachOptions

_ARRIVAL = 2.0
"""Seconds that a start waits for a client that is told that it is attached."""


class MountPoint(msgspec.Struct, frozen=True, omit_defaults=True):
    """A mount of a container, settled at its creation.

    For an image, `image` is its id and `snapshot` the key of what is mounted; for a
    secret, `secret` is its id.
    """

    type: str
    target: str
    source: str = ""
    volume: str = ""
    mode: str = ""
    read_write: bool = True
    propagation: str = ""
    options: tuple[str, ...] = ()
    copy_up: bool = False
    subpath: str = ""
    image: str = ""
    snapshot: str = ""
    secret: str = ""
    secret_options: SecretOptions | None = None

    def attributes(self) -> dict[str, str]:
        """What events about a volume mounted here say of the place."""
        return {
            "destination": self.target,
            "propagation": self.propagation,
            "read/write": str(self.read_write).lower(),
        }


class IdRange(msgspec.Struct, frozen=True):
    """Ids of the host that a container's user namespace has: root's uid and gid, how many."""

    uid: int
    gid: int
    size: int


class State(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where in its life a container is; times are RFC 3339 with nanoseconds."""

    status: str = "created"
    pid: int = 0
    exit_code: int = 0
    error: str = ""
    oom_killed: bool = False
    started_at: str = ZERO_TIME
    finished_at: str = ZERO_TIME
    restart_count: int = 0
    manually_stopped: bool = False
    paused_for_commit: bool = False

    @property
    def running(self) -> bool:
        """Whether there is a process, paused or not."""
        return self.status in ("running", "paused", "restarting")


class Record(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Everything about a container that outlives the daemon."""

    id: str
    name: str
    created: str
    image_id: str
    image: str
    config: ContainerConfig
    host: HostConfig
    path: str
    args: tuple[str, ...]
    networks: dict[str, EndpointSettings] = {}
    endpoints: tuple[Endpoint, ...] = ()
    mounts: tuple[MountPoint, ...] = ()
    state: State = State()
    log_path: str = ""
    id_range: IdRange | None = None
    platform: str = "linux"


class HealthResult(msgspec.Struct, frozen=True, rename="pascal"):
    """One run of a health check."""

    start: str
    end: str
    exit_code: int
    output: str


class Health:
    """What the health checks of a running container found."""

    def __init__(self) -> None:
        self.status = "starting"
        self.failing_streak = 0
        self.log: list[HealthResult] = []


class Container:
    """One container. Changes are made under its lock; waiters are told by `notify`.

    `cgroup_path` is set while it runs, since the daemon may be started with another driver. `ill`
    says that it is being ended because it is unhealthy.
    """

    def __init__(self, record: Record) -> None:
        self.record = record
        self.monitor: MonitorConnection | None = None
        self.lock = asyncio.Lock()
        self.parked: list[tuple[int, AttachOptions]] = []
        self.execs: dict[str, Any] = {}
        self.probes: dict[str, Callable[[int], None]] = {}
        self.health: Health | None = None
        self.removed = False
        self.ill = False
        self.cgroup_path = ""
        self.exits = 0
        self._changed = asyncio.Condition()
        self._arriving: set[asyncio.Future[None]] = set()

    @property
    def id(self) -> str:
        """The full id."""
        return self.record.id

    @property
    def name(self) -> str:
        """The name without a slash."""
        return self.record.name

    @property
    def state(self) -> State:
        """Where it is in its life."""
        return self.record.state

    @property
    def has_run(self) -> bool:
        """Whether it was ever started."""
        return self.state.started_at != ZERO_TIME

    def uses_image(self, identifier: str) -> bool:
        """Whether it was made from the image, or mounts it."""
        mounted = (point.image for point in self.record.mounts)
        return identifier in (self.record.image_id, *mounted)

    def park(self, descriptor: int, options: AttachOptions) -> None:
        """Keeps a client's socket for the start; those whose client has left meanwhile go."""
        gone = select.poll()
        for parked, _ in self.parked:
            gone.register(parked, 0)  # asks for hang-ups alone
        ended = {number for number, _ in gone.poll(0)}
        for parked in ended:
            os.close(parked)
        self.parked = [item for item in self.parked if item[0] not in ended]
        self.parked.append((descriptor, options))

    def close_parked(self) -> None:
        """Ends the connections of clients who wait for a start that will not be."""
        while self.parked:
            os.close(self.parked.pop()[0])

    async def notify(self) -> None:
        """Wakes whoever waits for a change."""
        async with self._changed:
            self._changed.notify_all()

    @contextmanager
    def attaching(self) -> Iterator[None]:
        """While a client is being told that it is attached, and is not yet."""
        arrived = asyncio.get_running_loop().create_future()
        self._arriving.add(arrived)
        try:
            yield
        finally:
            self._arriving.discard(arrived)
            arrived.set_result(None)

    async def attached(self) -> None:
        """Waits for the clients that were told so, lest they miss what a short program writes."""
        if self._arriving:
            await asyncio.wait(set(self._arriving), timeout=_ARRIVAL)

    async def changed(self) -> asyncio.Condition:
        """The condition to wait on, for `wait`."""
        return self._changed

    def attributes(self) -> dict[str, str]:
        """What events about this container carry: image, name and labels."""
        labels = self.record.config.labels or {}
        return {**labels, "image": self.record.image, "name": self.name}
