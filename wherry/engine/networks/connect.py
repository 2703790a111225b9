"""One network more for a container that exists, running or not."""

import msgspec

from wherry.base.errors import Conflict, Forbidden, InvalidParameter
from wherry.engine.containers.asked_networks import wishes
from wherry.engine.containers.container import Container
from wherry.engine.containers.endpoint_requests import endpoint_request
from wherry.engine.containers.index import ContainerIndex
from wherry.engine.containers.live_network import LiveNetwork
from wherry.engine.networks.endpoint_checks import check_endpoint
from wherry.engine.networks.state import NetworkState
from wherry.model.docker.container import EndpointSettings
from wherry.network.record import NetworkRecord

SHARED = (
    "container sharing network namespace with another container or host cannot be connected to any "
    "other network"
)
MARKED = "container {} is marked for removal and cannot be connected or disconnected to the network"
HOST = "container cannot be disconnected from host network or connected to host network"
PRIVATE = (
    "container cannot be connected to multiple networks with one of the networks in private (none) "
    "mode"
)


class ConnectNetwork:
    """Puts existing containers on networks."""

    def __init__(self, state: NetworkState, index: ContainerIndex, live: LiveNetwork) -> None:
        """`live` changes what runs."""
        self._state = state
        self._index = index
        self._live = live

    async def __call__(
        self, reference: str, container: str, settings: EndpointSettings | None
    ) -> None:
        """Raises NoSuchNetwork, NoSuchContainer, InvalidParameter, Forbidden, Conflict."""
        found = self._index.get(container)
        network = self._state.catalog.get(reference)
        asked = settings or EndpointSettings()
        check_endpoint(network.name, asked, self._state.subnets_of(network.id))
        async with found.lock:
            self._check(found, network)
            if found.monitor is not None:
                request = endpoint_request(found.record, network, asked)
                await self._live.attach(found, request)
            networks = {**found.record.networks, network.name: wishes(asked)}
            found.record = msgspec.structs.replace(found.record, networks=networks)
            await self._index.save(found)

    def _check(self, container: Container, network: NetworkRecord) -> None:
        if container.removed:
            raise Conflict(MARKED.format(container.id))
        mode = container.record.host.network_mode
        if mode == "host" or mode.startswith("container:"):
            raise InvalidParameter(SHARED)
        if network.driver == "host":
            raise InvalidParameter(HOST)
        others = set(container.record.networks) - {network.name}
        if "none" in others or (network.name == "none" and others):
            raise InvalidParameter(PRIVATE)
        if container.monitor is not None and network.name in container.record.networks:
            raise Forbidden(
                f"endpoint with name {container.name} already exists in network {network.name}"
            )
