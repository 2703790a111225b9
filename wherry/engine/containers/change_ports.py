"""Published ports added to and removed from a container that exists, whether it runs or not."""

from collections.abc import Mapping, Sequence

import msgspec

from wherry.base.errors import Conflict, InvalidParameter, NotFound
from wherry.engine.containers.container import Container, Record
from wherry.engine.containers.endpoint_requests import port_requests
from wherry.engine.containers.index import ContainerIndex
from wherry.engine.containers.validate import check_ports
from wherry.engine.pools import Pools
from wherry.engine.system.event_bus import EventBus
from wherry.model.docker.container import PortBinding
from wherry.network.attachments import Attachments

Bindings = Mapping[str, list[PortBinding] | None]


class ChangePorts:
    """Removes published ports, then adds others; nothing is changed if one cannot be added."""

    def __init__(
        self, index: ContainerIndex, attachments: Attachments, pools: Pools, events: EventBus
    ) -> None:
        self._index = index
        self._attachments = attachments
        self._pools = pools
        self._events = events

    async def __call__(self, container: Container, add: Bindings, remove: Sequence[str]) -> None:
        """Raises InvalidParameter, NotFound, Conflict, PortUnavailable.

        `remove` names ports of the container (`80/tcp`), with all their places on the host.
        """
        async with container.lock:
            before = container.record
            if container.removed:
                raise Conflict(f"container {container.id} is marked for removal")
            _check_mode(before)
            added = {_named(port): list(places or [PortBinding()]) for port, places in add.items()}
            check_ports(added)
            gone = {_find(before, _named(port)) for port in remove}
            container.record = _changed(before, added, gone)
            try:
                if container.monitor is not None:
                    await self._apply(container, before, added, gone)
                await self._index.save(container, durable=True)
            except BaseException:
                container.record = before
                raise
        self._events.publish("container", "update", container.id, container.attributes())

    async def _apply(
        self, container: Container, before: Record, added: Bindings, gone: set[str]
    ) -> None:
        host = msgspec.structs.replace(before.host, port_bindings=added, publish_all_ports=False)
        wanted = port_requests(msgspec.structs.replace(before, host=host))
        endpoints = await self._pools.run(
            "network", self._attachments.republish, before.endpoints, wanted, _pairs(gone)
        )
        container.record = msgspec.structs.replace(container.record, endpoints=endpoints)


def _check_mode(record: Record) -> None:
    mode = record.host.network_mode
    if mode in ("host", "none") or mode.startswith("container:"):
        raise Conflict(f"container {record.name} has network mode {mode}: it publishes no ports")


def _named(port: str) -> str:
    number, _, protocol = port.partition("/")
    return f"{number}/{protocol or 'tcp'}"


def _pairs(ports: set[str]) -> set[tuple[str, int]]:
    return {(port.partition("/")[2], int(port.partition("/")[0])) for port in ports}


def _find(record: Record, port: str) -> str:
    if ":" in port:
        raise InvalidParameter(
            f"invalid port {port}: name the container's own, such as 80/tcp; what of its places on "
            "the host shall stay is added in the same request"
        )
    published = {f"{item.container_port}/{item.protocol}" for endpoint in record.endpoints
                 for item in endpoint.ports}  # fmt: skip
    if port not in published | {_named(key) for key in record.host.port_bindings or ()}:
        raise NotFound(f"container {record.name} does not publish port {port}")
    return port


def _changed(record: Record, added: Bindings, gone: set[str]) -> Record:
    """What the container is asked for now; a port that is published is exposed as well."""
    bindings = {key: list(places or []) for key, places in (record.host.port_bindings or {}).items()
                if _named(key) not in gone}  # fmt: skip
    for port, places in added.items():
        bindings[port] = [*bindings.get(port, []), *(places or [])]
    host = msgspec.structs.replace(record.host, port_bindings=bindings)
    exposed = {**(record.config.exposed_ports or {}), **{port: {} for port in added}}
    config = msgspec.structs.replace(record.config, exposed_ports=exposed)
    return msgspec.structs.replace(record, host=host, config=config)
