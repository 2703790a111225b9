"""What one network is, and which containers are on it."""

import msgspec

from wherry.engine.networks.state import NetworkState
from wherry.model.docker.network import IpamStatus, NetworkResource, NetworkStatus, SubnetStatus
from wherry.network.errors import NoSuchNetwork

_MOST = (1 << 64) - 1
"""What a subnet with more addresses is said to have, as dockerd does."""


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
        found = self._state.describe(record, containers=True)
        return msgspec.structs.replace(found, status=self._status(record.id))

    def _status(self, identifier: str) -> NetworkStatus:
        spaces = (self._state.catalog.space(identifier, version) for version in (4, 6))
        return NetworkStatus(IpamStatus({
            str(space.subnet): SubnetStatus(
                min(space.in_use(), _MOST), min(space.available(), _MOST)
            )
            for space in spaces if space is not None
        }))  # fmt: skip
