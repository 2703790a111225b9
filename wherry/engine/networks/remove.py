"""Removing a network."""

from wherry.engine.networks.state import NetworkState


class RemoveNetwork:
    """Removes user networks that no running container is on."""

    def __init__(self, state: NetworkState) -> None:
        """`state` removes them from the kernel and the records."""
        self._state = state

    async def __call__(self, reference: str) -> None:
        """Raises NoSuchNetwork, NetworkHasEndpoints and PredefinedNetwork."""
        await self._state.remove(self._state.catalog.get(reference))
