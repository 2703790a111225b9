"""The networks of this engine: what is stored, what is in the kernel, and the one pool for both."""

import asyncio

import msgspec

from wherry.base import crash_points
from wherry.engine.pools import Pools
from wherry.engine.system.event_bus import EventBus
from wherry.model.docker.network import (
    ConfigReference,
    EndpointResource,
    Ipam,
    IpamConfig,
    NetworkResource,
)
from wherry.network.catalog import NetworkCatalog
from wherry.network.driver_options import BRIDGE_NAME
from wherry.network.endpoint import Endpoint
from wherry.network.errors import NoSuchNetwork
from wherry.network.lifecycle import NetworkLifecycle
from wherry.network.record import NetworkRecord
from wherry.store.records.database import Database, Delete, Put

KIND = "network"
"""The kind of networks' records."""

POOL = "network"
"""The pool with one thread in which everything of the network room runs."""


class NetworkState:
    """Stored networks and their catalog, opened before and closed after all containers."""

    def __init__(
        self,
        catalog: NetworkCatalog,
        lifecycle: NetworkLifecycle,
        database: Database,
        pools: Pools,
        events: EventBus,
    ) -> None:
        """Collaborators are shared with the use cases of this package."""
        self.catalog = catalog
        self.lifecycle = lifecycle
        self._database = database
        self._pools = pools
        self._events = events

    def name_of(self, reference: str) -> str:
        """The name of the network of a name or id; what is not known comes back as it is."""
        try:
            return self.catalog.get(reference).name
        except NoSuchNetwork:
            return reference

    def subnets_of(self, reference: str) -> tuple[str, ...]:
        """The subnets of a network; none of one that is not known."""
        try:
            return tuple(item.subnet for item in self.catalog.get(reference).subnets)
        except NoSuchNetwork:
            return ()

    async def open(self) -> None:
        """Reads the stored networks and makes the predefined ones; before containers are read."""
        stored = [
            msgspec.json.decode(data, type=NetworkRecord)
            for data in self._database.read_all(KIND).values()
        ]
        for record in await self._pools.run(POOL, self.lifecycle.open, stored):
            await self.save(record)

    async def settle(self) -> None:
        """Removes leftovers, makes the default bridge; after `Attachments.restore`."""
        await self._pools.run(POOL, self.lifecycle.settle)

    async def close(self) -> None:
        """Removes what no container uses; after containers are stopped or left running."""
        await self._pools.run(POOL, self.lifecycle.close)

    async def save(self, record: NetworkRecord) -> None:
        """Stores a network."""
        put = Put(KIND, record.id, msgspec.json.encode(record))
        await asyncio.wrap_future(self._database.submit([put]))

    async def create(self, wanted: NetworkRecord) -> NetworkRecord:
        """Stores a network and makes it in the kernel, or leaves nothing.

        The record comes first: what a killed daemon had begun then belongs to a network.
        """
        record: NetworkRecord = await self._pools.run(POOL, self.lifecycle.create, wanted)
        try:
            await self.save(record)
        except BaseException:
            await self._pools.run(POOL, self.catalog.remove, record.id)
            raise
        crash_points.reach("network.recorded")
        try:
            await self._pools.run(POOL, self.lifecycle.bring_up, record)
            crash_points.reach("network.made")
        except BaseException:
            await asyncio.wrap_future(self._database.submit([Delete(KIND, record.id)]))
            raise
        self.publish("create", record)
        return record

    async def remove(self, record: NetworkRecord) -> None:
        """Removes a network from the kernel and the records."""
        await self._pools.run(POOL, self.lifecycle.remove, record)
        crash_points.reach("network.unmade")
        await asyncio.wrap_future(self._database.submit([Delete(KIND, record.id)]))
        self.publish("destroy", record)

    def publish(self, action: str, record: NetworkRecord) -> None:
        """Publishes an event about a network."""
        self._events.publish(
            "network", action, record.id, {"name": record.name, "type": record.driver}
        )

    def publish_prune(self) -> None:
        """Tells that unused networks were removed; they take no space."""
        self._events.publish("network", "prune", "", {"reclaimed": "0"})

    def publish_endpoints(self, action: str, endpoints: tuple[Endpoint, ...]) -> None:
        """Publishes `connect` or `disconnect` for the endpoints of a container."""
        records = {record.id: record for record in self.catalog.records()}
        for endpoint in endpoints:
            record = records.get(endpoint.network)
            attributes = {
                "container": endpoint.container_id,
                "name": endpoint.network_name,
                "type": record.driver if record else "bridge",
            }
            self._events.publish("network", action, endpoint.network, attributes)

    def describe(self, record: NetworkRecord, *, containers: bool) -> NetworkResource:
        """A network as the API shows it, with its running containers if asked."""
        found = self.catalog.endpoints(record.id) if containers else []
        config = [
            IpamConfig(
                subnet=subnet.subnet,
                ip_range=subnet.ip_range or None,
                gateway=subnet.gateway or None,
                auxiliary_addresses=subnet.auxiliary or None,
            )
            for subnet in record.subnets
        ]
        plain = record.plain and not record.config_only
        return NetworkResource(
            name=record.name,
            id=record.id,
            created=record.created,
            scope="local",
            driver=record.driver,
            enable_ipv4=record.enable_ipv4,
            enable_ipv6=record.enable_ipv6,
            ipam=Ipam(
                driver=record.ipam_driver,
                options=record.ipam_options,
                config=None if plain else config,
            ),
            internal=record.internal,
            attachable=record.attachable,
            ingress=False,
            config_from=ConfigReference(record.config_from),
            config_only=record.config_only,
            containers={e.container_id: _endpoint(e) for e in found},
            options=_shown_options(record),
            labels=record.labels,
        )


def _endpoint(endpoint: Endpoint) -> EndpointResource:
    ipv4 = f"{endpoint.ipv4}/{endpoint.ipv4_prefix}" if endpoint.ipv4 else ""
    ipv6 = f"{endpoint.ipv6}/{endpoint.ipv6_prefix}" if endpoint.ipv6 else ""
    return EndpointResource(endpoint.container_name, endpoint.endpoint_id, endpoint.mac, ipv4, ipv6)


def _shown_options(record: NetworkRecord) -> dict[str, str]:
    if record.name != "bridge":
        return record.options
    return {**record.options, BRIDGE_NAME: record.bridge}
