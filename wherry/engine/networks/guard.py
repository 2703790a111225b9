"""Keeps what networks stand on: rules that others flushed, other firewalls that changed, the proxy.

A reload of somebody's firewall may empty the whole rule set, or drop what is forwarded from now on.
The kernel tells of every change and who made it; those of this daemon are passed over.
"""

import asyncio
import contextlib
import logging
import socket

from wherry.base.errors import WherryError
from wherry.engine.pools import Pools
from wherry.linux.ruleset_events import RulesetEvents
from wherry.linux.syscall import SyscallError
from wherry.network.bridges import Bridges
from wherry.network.firewall import Firewall
from wherry.network.proxy_client import Proxy

logger = logging.getLogger("wherry.engine")

_SETTLE_SECONDS = 0.1
"""Firewalls are reloaded in several transactions: the last one is waited for this long."""

_MOST_REPAIRS = 20
"""Repairs in a row, each within a minute of the one before, after which it is given up."""

_CALM_SECONDS = 60.0


class NetworkGuard:
    """Watches from the event loop; repairs in the "network" pool."""

    def __init__(
        self, bridges: Bridges, firewall: Firewall, proxy: Proxy | None, pools: Pools
    ) -> None:
        self._bridges = bridges
        self._firewall = firewall
        self._proxy = proxy
        self._pools = pools
        self._events: RulesetEvents | None = None
        self._life: socket.socket | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._recognised = False
        self._damaged = False
        self._pending = False
        self._repairs = 0
        self._last_repair = 0.0

    def open(self) -> None:
        """Begins to watch, before this daemon's first rules."""
        self._loop = asyncio.get_running_loop()
        if self._proxy is not None:
            self._proxy.on_connect = self._proxy_connected
        if not self._firewall.enabled:
            return
        try:
            self._events = RulesetEvents()
        except SyscallError as error:
            logger.info("changes of the firewall by others go unnoticed: %s", error)
            return
        self._loop.add_reader(self._events.fileno(), self._changed)

    async def close(self) -> None:
        """Stops watching."""
        if self._events is not None and self._loop is not None:
            self._loop.remove_reader(self._events.fileno())
            self._events.close()
            self._events = None
        self._watch_proxy(None)
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def _changed(self) -> None:
        if self._events is None:
            return
        for change in self._events.read():
            if change.own:
                self._recognised = True
            elif self._recognised:  # else not even our own can be told, as in a pid namespace
                self._pending = True
                self._damaged |= self._firewall.table in change.tables or not change.process
        if self._pending and (self._task is None or self._task.done()):
            self._task = asyncio.get_running_loop().create_task(self._repair())

    async def _repair(self) -> None:
        loop = asyncio.get_running_loop()
        while self._pending:
            await asyncio.sleep(_SETTLE_SECONDS)
            calm = loop.time() - self._last_repair > _CALM_SECONDS
            self._repairs = 1 if calm else self._repairs + self._damaged
            self._last_repair = loop.time()
            damaged, self._damaged, self._pending = self._damaged, False, False
            if damaged and self._repairs > _MOST_REPAIRS:
                if self._repairs == _MOST_REPAIRS + 1:
                    logger.error(
                        "nftables table %s is removed again and again: it is not repaired any more "
                        "until it is left alone for a minute", self._firewall.table,
                    )  # fmt: skip
                return
            try:
                await self._pools.run("network", self._bridges.repair, damaged)
            except (WherryError, OSError) as error:
                logger.error("the rules of networks cannot be repaired: %s", error)

    def _proxy_connected(self, life: socket.socket) -> None:
        """From the pool's thread: a connection that tells of the proxy's end by its own."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._watch_proxy, life)

    def _watch_proxy(self, life: socket.socket | None) -> None:
        if self._life is not None and self._loop is not None:
            self._loop.remove_reader(self._life.fileno())
            self._life.close()
        self._life = life
        if life is not None and self._loop is not None:
            self._loop.add_reader(life.fileno(), self._proxy_ended, life)

    def _proxy_ended(self, life: socket.socket) -> None:
        if life is not self._life:
            return  # the word of one that has a successor already
        self._watch_proxy(None)
        asyncio.get_running_loop().create_task(self._revive())

    async def _revive(self) -> None:
        if self._proxy is None:
            return
        try:
            await self._pools.run("network", self._proxy.revive)
        except (WherryError, OSError) as error:
            logger.error("the proxy of published ports cannot be started again: %s", error)
