"""The dns process at work: one for each daemon's root, which outlives the daemon.

It serves until a daemon ends it, or nobody is left to serve. Containers that end are noticed by
their pidfd, so their names go even while there is no daemon.
"""

import asyncio
import contextlib
import gc
import logging
import os
import socket
import sys
from collections import Counter
from collections.abc import Callable

import msgspec

import wherry
from wherry.base.log_lines import LEVELS, formatter
from wherry.linux.fd import receive_message
from wherry.network.dns import messages as msg
from wherry.network.dns.answerer import Answerer
from wherry.network.dns.forwarder import Forwarder
from wherry.network.dns.host_servers import HostServers
from wherry.network.dns.namespaces import Namespace
from wherry.network.dns.service import Service
from wherry.network.dns.upstream import OpenSocket
from wherry.network.dns.zones import Zones

_ALONE_SECONDS = 30.0
_COUNT_SECONDS = 60.0
_log = logging.getLogger("wherry.dns")


def serve(control: socket.socket, opener: OpenSocket, ready: Callable[[], None]) -> None:
    """Serves daemons on a listening socket until one ends it, or nobody is left to serve."""
    gc.enable()  # the zygote's own objects are frozen and stay shared
    process = DnsProcess(control, Forwarder(opener))
    ready()
    asyncio.run(process.run())


class DnsProcess:
    """Serves daemons, one after the other, and through them containers."""

    def __init__(self, control: socket.socket, forwarder: Forwarder) -> None:
        self._control = control
        self._forwarder = forwarder
        self._zones = Zones()
        servers = HostServers(on_change=forwarder.forget)
        self._answerer = Answerer(self._zones, forwarder, servers)
        self._services: dict[str, Service] = {}
        self._pidfds: dict[str, int] = {}
        self._untold: set[str] = set()
        self._daemons: set[socket.socket] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._ended = asyncio.Event()
        self._alone: asyncio.TimerHandle | None = None

    async def run(self) -> None:
        """Returns when a daemon ends it, or when it has served nobody for a while."""
        loop = asyncio.get_running_loop()
        self._control.setblocking(False)
        loop.add_reader(self._control, self._accept)
        self._watch_loneliness()
        counting = loop.create_task(self._log_counts())
        await self._ended.wait()
        counting.cancel()
        loop.remove_reader(self._control)
        self._control.close()
        for identifier in self._zones.ids():
            self._remove(identifier)
        await asyncio.gather(*self._tasks)
        for connection in list(self._daemons):
            self._hang_up(connection)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            connection, _ = self._control.accept()
            connection.setblocking(False)
            self._daemons.add(connection)
            asyncio.get_running_loop().add_reader(connection, self._readable, connection)
            self._watch_loneliness()

    def _hang_up(self, connection: socket.socket) -> None:
        asyncio.get_running_loop().remove_reader(connection)
        self._daemons.discard(connection)
        connection.close()
        self._watch_loneliness()

    def _readable(self, connection: socket.socket) -> None:
        try:
            data, descriptors = receive_message(connection, msg.MESSAGE_SIZE)
        except BlockingIOError:
            return
        except OSError as error:
            _log.warning("a daemon's request cannot be read: %s", error)
            data, descriptors = b"", []
        if not data:
            self._hang_up(connection)
            return
        task = asyncio.get_running_loop().create_task(self._answer(connection, data, descriptors))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, connection: socket.socket, data: bytes, descriptors: list[int]) -> None:
        try:
            request: msg.Request = msgspec.json.decode(data, type=msg.Request)
            answer = await self._perform(request, descriptors)
        except (msgspec.MsgspecError, OSError, ValueError) as error:
            answer = msg.Answer(error=str(error) or type(error).__name__)
        with contextlib.suppress(OSError):
            connection.send(msgspec.json.encode(answer))

    async def _perform(self, request: msg.Request, descriptors: list[int]) -> msg.Answer:
        match request:
            case msg.Hello():
                return msg.Answer(release=wherry.__version__)
            case msg.SetMember(member):
                await self._set(member, descriptors)
                return msg.Answer(serving=member.id in self._services)
            case msg.RemoveMember(identifier):
                self._remove(identifier)
            case msg.BeginSync():
                self._untold = set(self._zones.ids())
            case msg.EndSync():
                for identifier in self._untold:
                    self._remove(identifier)
            case msg.End():
                self._ended.set()
        return msg.Answer()

    async def _set(self, member: msg.Member, descriptors: list[int]) -> None:
        service = self._services.get(member.id)
        if service and service.incarnation != member.incarnation:
            self._remove(member.id)
            service = None
        self._zones.set(member)
        self._untold.discard(member.id)
        if len(descriptors) != msg.SOCKETS or service:
            for descriptor in descriptors:
                os.close(descriptor)
            return
        udp, tcp, namespace, pidfd = descriptors
        service = Service(
            member.id, member.incarnation, self._answerer, socket.socket(fileno=udp),
            socket.socket(fileno=tcp), Namespace(namespace),
        )  # fmt: skip
        self._services[member.id] = service
        self._pidfds[member.id] = pidfd
        asyncio.get_running_loop().add_reader(pidfd, self._ended_itself, member.id)
        await service.start()
        self._watch_loneliness()
        _log.debug("serving container %s", member.id[:12])

    def _ended_itself(self, identifier: str) -> None:
        _log.debug("container %s has ended", identifier[:12])
        self._remove(identifier)

    def _remove(self, identifier: str) -> None:
        self._zones.remove(identifier)
        service = self._services.pop(identifier, None)
        if service:
            service.close()
        pidfd = self._pidfds.pop(identifier, -1)
        if pidfd >= 0:
            asyncio.get_running_loop().remove_reader(pidfd)
            os.close(pidfd)
        self._watch_loneliness()

    async def _log_counts(self) -> None:
        """How many questions were answered and how, for whoever reads the details."""
        before: Counter[str] = Counter()
        while True:
            await asyncio.sleep(_COUNT_SECONDS)
            counts = self._forwarder.counts + self._answerer.counts
            if counts != before:
                _log.debug("questions: %s", ", ".join(f"{n} {how}" for how, n in counts.items()))
            before = counts

    def _watch_loneliness(self) -> None:
        """Without daemons and containers the process ends by itself, after a while."""
        lonely = not self._daemons and not self._services
        if lonely and self._alone is None:
            loop = asyncio.get_running_loop()
            self._alone = loop.call_later(_ALONE_SECONDS, self._ended.set)
        elif not lonely and self._alone is not None:
            self._alone.cancel()
            self._alone = None


def log_to_stderr(level: str, layout: str) -> None:
    """To where the daemon logs; the end of that must not be the end of this process."""
    logging.raiseExceptions = False
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter(layout))
    _log.addHandler(handler)
    _log.setLevel(LEVELS[level])
