"""What one network is, and which containers are on it."""

from wherry.engine.networks.state import NetworkState
from wherry.model.docker.network import NetworkResource
from wherry.network.errors import NoSuchNetwork


class InspectNetwork:
    """Shows one network; answered from memory."""

    def __init__(self, state: NetworkState) -> None:
        """`state` holds the networks."""
        self._state = state

    def __call__(self, reference: str, scope: str = "") -> NetworkResource:
        """The network of a name, id or its beginning; raises NoSuchNetwork."""
        record = self._state.catalog.get(reference)
        if scope not in ("", "local"):
            raise NoSuchNetwork(reference)
        return self._state.describe(record, containers=True)
