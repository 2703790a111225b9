"""One network less for a container, running or not."""

import msgspec

from wherry.base.errors import Conflict, InternalError, InvalidParameter
from wherry.engine.containers.index import ContainerIndex
from wherry.engine.containers.live_network import LiveNetwork
from wherry.engine.networks.connect import HOST, MARKED
from wherry.engine.networks.state import NetworkState
from wherry.network.errors import NoSuchNetwork


class NotConnected(InternalError):
    """The container is not on the network; Docker answers 500."""


class DisconnectNetwork:
    """Takes containers off networks."""

    def __init__(self, state: NetworkState, index: ContainerIndex, live: LiveNetwork) -> None:
        """`live` changes what runs."""
        self._state = state
        self._index = index
        self._live = live

    async def __call__(self, reference: str, container: str, *, force: bool = False) -> None:
        """Raises NoSuchNetwork, NoSuchContainer, NotConnected, InvalidParameter.

        With `force` a network that is gone is taken from the container's settings.
        """
        found = self._index.get(container)
        try:
            name = self._state.catalog.get(reference).name
        except NoSuchNetwork:
            if not force or reference not in found.record.networks:
                raise
            name = reference
        async with found.lock:
            if found.removed:
                raise Conflict(MARKED.format(found.id))
            if name == "host" and "host" in found.record.networks:
                raise InvalidParameter(HOST)
            if name not in found.record.networks:
                the = "" if found.monitor is not None else "the "  # dockerd's words differ so
                raise NotConnected(f"container {found.id} is not connected to {the}network {name}")
            for endpoint in found.record.endpoints:
                if endpoint.network_name == name and found.monitor is not None:
                    await self._live.detach(found, endpoint.endpoint_id)
            networks = {key: v for key, v in found.record.networks.items() if key != name}
            found.record = msgspec.structs.replace(found.record, networks=networks)
            await self._index.save(found)
