"""What one volume is."""

from wherry.engine.volumes.state import VolumeState
from wherry.model.docker.volume import VolumeResource


class InspectVolume:
    """Shows one volume; answered from memory."""

    def __init__(self, state: VolumeState) -> None:
        """`state` holds the volumes."""
        self._state = state

    def __call__(self, name: str) -> VolumeResource:
        """The volume of that name; raises NoSuchVolume."""
        return self._state.describe(self._state.get(name))
