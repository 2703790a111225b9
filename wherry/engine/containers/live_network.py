"""Networks of a running container, one more or one less: written down, then carried out.

An endpoint is marked as pending in the container's record while its interface is on the way in or
out; a new daemon that finds one so takes it out.
"""

import logging

import msgspec

from wherry.base.errors import NotFound, WherryError
from wherry.engine.containers.container import Container
from wherry.engine.containers.endpoint_requests import port_requests
from wherry.engine.containers.index import ContainerIndex
from wherry.engine.containers.networking import ContainerNetwork
from wherry.engine.networks.state import NetworkState
from wherry.engine.pools import Pools
from wherry.engine.task_streams import ended_with, result
from wherry.model.interface import LinkChange
from wherry.network.attachments import Attachments
from wherry.network.endpoint import Endpoint, EndpointRequest
from wherry.runtime.plug import PlugRequest
from wherry.supervisor.client import Supervisor

TASK = "network.plug"

logger = logging.getLogger("wherry.engine")


class LiveNetwork:
    """Changes the networks of running containers; the caller holds the container's lock."""

    def __init__(
        self, index: ContainerIndex, networks: NetworkState, attachments: Attachments,
        network: ContainerNetwork, supervisor: Supervisor, pools: Pools,
    ) -> None:  # fmt: skip
        self._index = index
        self._networks = networks
        self._attachments = attachments
        self._network = network
        self._supervisor = supervisor
        self._pools = pools

    async def attach(self, container: Container, request: EndpointRequest) -> None:
        """Adds an endpoint with its interface, or nothing; raises as `Attachments.add`.

        A container that ends meanwhile has no need of it: that is no failure.
        """
        changed = await self._pools.run(
            "network", self._attachments.add, request, container.record.endpoints,
            port_requests(container.record),
        )  # fmt: skip
        await self._write(container, changed.endpoints)
        fresh = changed.endpoints[-1]
        try:
            await self._plug(container, changed.link)
        except BaseException as error:
            await self.detach(container, fresh.endpoint_id, quiet=True)
            if isinstance(error, NotFound):
                return
            raise
        settled = await self._pools.run("network", self._attachments.settled, changed.endpoints)
        await self._write(container, settled)
        await self._pools.run("disk", self._network.rewrite_files, container)
        await self._network.announce(container)
        self._networks.publish_endpoints("connect", settled[-1:])

    async def detach(self, container: Container, endpoint_id: str, *, quiet: bool = False) -> None:
        """Takes an endpoint and its interface out; `quiet` ones were never announced."""
        changed = await self._pools.run(
            "network", self._attachments.take, endpoint_id, container.record.endpoints,
            port_requests(container.record),
        )  # fmt: skip
        await self._write(container, changed.endpoints)
        await self._network.announce(container)  # before it is gone nobody is sent there any more
        try:
            await self._plug(container, changed.link)
        except NotFound:
            pass  # it has ended: its namespace goes, and what is in it
        except (WherryError, OSError) as error:
            logger.warning("container %s: an interface may be left: %s", container.name, error)
        going = [e for e in changed.endpoints if e.endpoint_id == endpoint_id]
        rest = tuple(e for e in changed.endpoints if e.endpoint_id != endpoint_id)
        await self._pools.run("network", self._attachments.release, going)
        await self._pools.run("links", self._attachments.unlink, going)
        await self._write(container, rest)
        await self._pools.run("disk", self._network.rewrite_files, container, going)
        if not quiet:
            self._networks.publish_endpoints("disconnect", tuple(going))

    async def recover(self, container: Container) -> None:
        """Takes out what a killed daemon was connecting or disconnecting."""
        for endpoint in container.record.endpoints:
            if endpoint.pending:
                logger.info(
                    "container %s: undoing its half-made place on network %s",
                    container.name, endpoint.network_name,
                )  # fmt: skip
                await self.detach(container, endpoint.endpoint_id, quiet=True)

    async def _write(self, container: Container, endpoints: tuple[Endpoint, ...]) -> None:
        container.record = msgspec.structs.replace(container.record, endpoints=endpoints)
        await self._index.save(container)

    async def _plug(self, container: Container, change: LinkChange) -> None:
        if change == LinkChange():
            return
        monitor = container.monitor
        if monitor is None:
            raise NotFound("the container has ended meanwhile")
        request = PlugRequest(monitor.started.pid, monitor.started.start_time, change)
        task = self._supervisor.run_task(TASK, msgspec.json.encode(request))
        with ended_with(task):
            await result(task, self._pools)
