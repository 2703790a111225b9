"""The engine's life: what is brought up in which order, what is taken down, what is reloaded."""

import asyncio
import logging
import os
import shutil

import msgspec
from aiohttp import web

from wherry.api.app import Observer, make_protocol, make_server
from wherry.api.routes import ROUTES
from wherry.api.services import Services
from wherry.daemon.config import Config
from wherry.daemon.front_door import FrontDoor
from wherry.daemon.wiring.containers import build_containers, exec_use_cases, stream_use_cases
from wherry.daemon.wiring.foundation import lay_foundation
from wherry.daemon.wiring.images import build_images, image_use_cases
from wherry.daemon.wiring.networks import build_networks, network_use_cases
from wherry.daemon.wiring.system import Overview, system_use_cases, volume_use_cases
from wherry.engine.secrets.use_cases import SecretUseCases
from wherry.engine.system.host import read_host
from wherry.linux.cgroup.group import Cgroup
from wherry.wire.server.listeners import open_listener, serve, tls_context

logger = logging.getLogger("wherry.daemon")

_ENDING_SECONDS = 2.0


class Engine:
    """The daemon's parts and their order of starting and ending."""

    def __init__(self, config: Config) -> None:
        """Builds what needs no other process and no kernel object."""
        self._config = config
        self._servers: list[asyncio.Server] = []
        base = self._base = lay_foundation(config)
        images = self._images = build_images(base)
        networks = self._networks = build_networks(base)
        containers = self._containers = build_containers(base, images, networks)
        self._overview = Overview(base, images, networks)
        self._front_door = FrontDoor(config.hosts, config.group, config.exec_root, base.supervisor)
        self._services = Services(
            containers=containers.use_cases,
            streams=stream_use_cases(base),
            execs=exec_use_cases(base),
            images=image_use_cases(base, images, containers.use_cases.signals),
            networks=network_use_cases(base, networks, containers.live_network),
            volumes=volume_use_cases(base),
            secrets=SecretUseCases(base.secrets, base.index),
            system=system_use_cases(base, images, containers, self._overview),
        )

    async def start(self) -> None:
        """Brings everything up and listens; raises WherryError for what cannot be."""
        base, pools = self._base, self._base.pools
        # First: it waits for what an earlier daemon's children were still making.
        await pools.run("supervisor", base.supervisor.open)
        await pools.run("disk", self._empty_scratch)
        await pools.run("disk", self._images.layers.drop_orphans)
        await pools.run("disk", self._images.attestations.drop_unneeded)
        self._networks.guard.open()
        await self._networks.state.open()
        await base.volumes.open()
        base.secrets.open()
        base.index.open()
        await self._containers.adopt()
        await self._networks.state.settle()
        await self._containers.names.open()
        self._containers.adopt.catch_up()
        await self._listen()

    async def stop(self) -> None:
        """Ends serving and everything that is not a container's.

        The sockets stay, held for the next daemon, if containers run that may have them mounted.
        """
        base, pools = self._base, self._base.pools
        for server in self._servers:
            server.close()
        base.events.close()
        await self._containers.leave()
        await self._containers.health.close()
        await self._networks.guard.close()
        await self._containers.names.close()
        await self._networks.state.close()
        runs = any(item.monitor is not None for item in base.index.all())
        await pools.run("disk", self._front_door.close, keep=runs)
        await pools.run("supervisor", base.supervisor.close)
        await pools.run("disk", self._remove_cgroups, 0.0 if runs else _ENDING_SECONDS)
        pools.close()
        base.database.close()

    def reload(self, newer: Config) -> None:
        """Takes over a configuration's live options; those that need a restart are named."""
        settings = self._base.settings
        changed, waiting = settings.renew(newer)
        if "dns" in changed:
            self._containers.names.refresh()
        logger.info("reloaded the configuration: changed %s", ", ".join(changed) or "nothing")
        for key in waiting:
            logger.warning("%s changed: it takes effect when the daemon is restarted", key)
        attributes = {key: _shown(value) for key, value in settings.live().items()}
        attributes["name"] = os.uname().nodename
        self._base.events.publish("daemon", "reload", settings.engine.id, attributes)

    def _empty_scratch(self) -> None:
        """What an earlier daemon was working on when it ended."""
        shutil.rmtree(self._base.scratch, ignore_errors=True)
        self._base.scratch.mkdir(mode=0o700)

    def _remove_cgroups(self, seconds: float) -> None:
        """The instance's own groups go when no container is left in them.

        The monitors of containers that have just ended get so many seconds.
        """
        groups = self._base.groups
        if groups.driver == "systemd":
            return  # slices and scopes are systemd's to remove
        for path in (groups.parent, groups.monitors):
            Cgroup(groups.layout, path).remove_if_empty(seconds)

    async def _listen(self) -> None:
        config = self._config
        tls = None
        if config.tls or config.tlsverify:
            tls = tls_context(
                config.tlscert, config.tlskey, config.tlscacert, verify=bool(config.tlsverify)
            )
        observe = await self._serve_metrics() if config.metrics_addr else None
        protocol = make_protocol(make_server(ROUTES, self._services, observe))
        for listener in await self._base.pools.run("disk", self._front_door.open):
            self._servers.append(await serve(listener, protocol, tls))

    async def _serve_metrics(self) -> Observer:
        from wherry.daemon.metrics import Metrics

        metrics = Metrics(
            self._base.settings.engine, read_host(), self._base.events, self._containers.health,
            self._overview.counts,
        )  # fmt: skip
        server = web.Server(metrics.answer, access_log=None)
        for listener in open_listener(f"tcp://{self._config.metrics_addr}"):
            self._servers.append(await serve(listener, server))
        return metrics.observe


def _shown(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
