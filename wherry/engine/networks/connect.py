"""Networks of a container that exists already: not offered yet, and said so."""

from wherry.base.errors import NotSupported
from wherry.engine.networks.state import NetworkState


class ConnectNetwork:
    """Answers requests to connect or disconnect an existing container."""

    def __init__(self, state: NetworkState) -> None:
        """`state` knows which networks exist."""
        self._state = state

    async def connect(self, reference: str, container: str) -> None:
        """Raises NoSuchNetwork, else NotSupported."""
        name = self._state.catalog.get(reference).name
        raise NotSupported(
            f"connecting container {container} to network {name} after its creation is not "
            "supported: create it with --network"
        )

    async def disconnect(self, reference: str, container: str) -> None:
        """Raises NoSuchNetwork, else NotSupported."""
        name = self._state.catalog.get(reference).name
        raise NotSupported(
            f"disconnecting container {container} from network {name} is not supported: "
            "remove the container and create it without the network"
        )
