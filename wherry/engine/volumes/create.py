"""Making a volume at a user's word."""

from wherry.base.errors import Unavailable
from wherry.engine.volumes.state import VolumeState
from wherry.model.docker.volume import VolumeCreateRequest, VolumeResource


class CreateVolume:
    """Creates volumes of the local driver."""

    def __init__(self, state: VolumeState) -> None:
        """`state` makes and stores them."""
        self._state = state

    async def __call__(self, request: VolumeCreateRequest) -> VolumeResource:
        """The volume, new or as it was; raises InvalidParameter and NotFound."""
        if request.cluster_volume_spec is not None:
            raise Unavailable(
                'This node is not a swarm manager. Use "docker swarm init" or "docker swarm '
                'join" to connect this node to swarm and try again.'
            )
        record = await self._state.create(
            request.name or "",
            driver=request.driver or "local",
            options=request.driver_opts,
            labels=request.labels,
        )
        return self._state.describe(record)
