"""Keeps the dns process, and tells it which containers run on which networks.

The process outlives the daemon. A new daemon goes on with it, or with one of its own release; when
it dies another takes its place, with everything that this daemon knows. No question is lost by
that: monitors keep the sockets, where questions wait.
"""

import asyncio
import json
import logging
import os
from collections.abc import Awaitable, Callable

import wherry
from wherry.base.errors import InternalError, WherryError
from wherry.engine.containers.container import Container
from wherry.engine.containers.defaults import ContainerDefaults
from wherry.engine.containers.dns_member import member_of
from wherry.engine.containers.index import ContainerIndex
from wherry.engine.networks.state import NetworkState
from wherry.engine.pools import Pools
from wherry.network.dns.client import DnsConnection, DnsGone, connect
from wherry.network.dns.messages import PROTOCOL, Member
from wherry.supervisor.client import MonitorConnection, Supervisor, Task

DNS_TASK = "dns.serve"

_POOL = "supervisor"
_START_SECONDS = 20.0
_RESTART_DELAY = 1.0

logger = logging.getLogger("wherry.engine")


class NameService:
    """Names of containers on networks of users', as the dns process has them."""

    def __init__(
        self, index: ContainerIndex, networks: NetworkState, supervisor: Supervisor, pools: Pools,
        defaults: ContainerDefaults, log: tuple[str, str],
    ) -> None:  # fmt: skip
        """`log` is the level and the layout of what the process logs."""
        self._index = index
        self._networks = networks
        self._supervisor = supervisor
        self._pools = pools
        self._defaults = defaults
        self._log = log
        self._connection: DnsConnection | None = None
        self._task: Task | None = None
        self._told: set[str] = set()
        self._lock = asyncio.Lock()
        self._restarting: asyncio.Task[None] | None = None
        self._refreshing: asyncio.Task[None] | None = None
        self._closed = True

    async def open(self) -> None:
        """Goes on with the process of an earlier daemon; after containers were adopted."""
        self._closed = False
        found = await self._pools.run(_POOL, connect, self._defaults.exec_root)
        members = self._members()
        if found is not None:
            same = (found.protocol, found.release) == (PROTOCOL, wherry.__version__)
            if not same or not members:
                await self._pools.run(_POOL, found.end)
            else:
                self._use(found)
                await self._tell_all()
                return
        if members:
            await self._attempt(self._ensure)

    async def close(self) -> None:
        """Leaves the process to the next daemon if containers need it, else ends it."""
        self._closed = True
        if self._restarting:
            self._restarting.cancel()
        connection = self._connection
        if connection is None:
            return
        self._forget()
        leave = connection.close if self._members() else connection.end
        await self._pools.run(_POOL, leave)

    async def publish(self, container: Container) -> None:
        """Tells of a container that has started or changed; never raises, but says what failed.

        Before `open` there is nothing to do: that tells everything.
        """
        if self._closed:
            return

        async def work() -> None:
            member = self._member(container)
            if member is None or container.monitor is None:
                await self._withdraw(container.id)
                return
            connection = await self._ensure()
            known = container.id in self._told
            self._told.add(container.id)
            await self._pools.run(_POOL, _tell, connection, member, container.monitor, known=known)

        await self._attempt(work)

    async def withdraw(self, container: Container) -> None:
        """Tells of a container that has ended; repeating it is harmless."""
        await self._attempt(lambda: self._withdraw(container.id))

    def refresh(self) -> None:
        """Tells of all containers again: the daemon's own name servers have changed."""
        if self._connection is not None and not self._closed:
            self._refreshing = asyncio.get_running_loop().create_task(self._attempt(self._tell_all))

    async def _withdraw(self, identifier: str) -> None:
        connection = self._connection
        if connection is not None and identifier in self._told:
            self._told.discard(identifier)
            await self._pools.run(_POOL, connection.remove, identifier)

    async def _attempt(self, work: Callable[[], Awaitable[object]]) -> None:
        """A container runs all the same when its name cannot be told: the next attempt may."""
        try:
            await work()
        except DnsGone:
            self._gone()
        except (WherryError, OSError) as error:
            logger.warning("names of containers: %s", error)

    def _members(self) -> dict[str, tuple[Member, MonitorConnection]]:
        """Everything that is to be known."""
        found: dict[str, tuple[Member, MonitorConnection]] = {}
        for container in self._index.all():
            member = self._member(container)
            if member is not None and container.monitor is not None:
                found[container.id] = (member, container.monitor)
        return found

    def _member(self, container: Container) -> Member | None:
        return member_of(container, self._networks.catalog.records(), self._defaults.dns)

    async def _ensure(self) -> DnsConnection:
        """The connection to a process, which is started if there is none."""
        async with self._lock:
            if self._connection is None:
                self._use(await self._pools.run(_POOL, self._start))
                await self._tell_all()
            if self._connection is None:
                raise DnsGone
            return self._connection

    def _use(self, connection: DnsConnection) -> None:
        self._connection = connection
        asyncio.get_running_loop().add_reader(connection.fileno(), self._gone)

    def _forget(self) -> None:
        if self._connection is not None:
            asyncio.get_running_loop().remove_reader(self._connection.fileno())
            self._connection = None

    def _gone(self) -> None:
        """The process died: another one is started, not at once lest it die for ever."""
        connection = self._connection
        if connection is None or self._closed:
            return
        logger.warning("the dns process %d has ended or is stuck: starting another", connection.pid)
        self._forget()
        connection.kill()
        self._restarting = asyncio.get_running_loop().create_task(self._restart())

    async def _restart(self) -> None:
        while not self._closed and self._connection is None and self._members():
            await self._attempt(self._ensure)
            if self._connection is None:
                await asyncio.sleep(_RESTART_DELAY)

    def _start(self) -> DnsConnection:
        """Starts the process through the zygote, where its memory is shared."""
        parameters = json.dumps([str(self._defaults.exec_root), *self._log]).encode()
        self._task = self._supervisor.run_task(DNS_TASK, parameters, outlive=True)
        self._task.next_frame(_START_SECONDS)
        connection = connect(self._defaults.exec_root)
        if connection is None:
            raise InternalError("the dns process does not start: see the daemon's log")
        logger.debug("dns runs as process %d", connection.pid)
        return connection

    async def _tell_all(self) -> None:
        connection = self._connection
        members = self._members()
        if connection is None:
            return
        await self._pools.run(_POOL, connection.begin_sync)
        # All names before the first question is answered: one of them may be asked for.
        for member, _ in members.values():
            await self._pools.run(_POOL, connection.set, member)
        for member, monitor in members.values():
            await self._pools.run(_POOL, _tell, connection, member, monitor)
            self._told.add(member.id)
        await self._pools.run(_POOL, connection.end_sync)
        for identifier in members.keys() - self._members().keys():
            await self._withdraw(identifier)  # it has ended meanwhile


def _tell(
    connection: DnsConnection, member: Member, monitor: MonitorConnection, *, known: bool = True
) -> None:
    """One container; with its sockets, unless the process, which may have them, does."""
    if known and connection.set(member):
        return
    try:
        descriptors = monitor.resolver()
    except WherryError as error:
        # It has just ended, or its monitor knows nothing of DNS: others may know its name.
        logger.debug("container %s is not answered: %s", member.id, error)
        return
    try:
        connection.set(member, descriptors)
    finally:
        for descriptor in descriptors:
            os.close(descriptor)
