"""Removing a volume and its data."""

from collections.abc import Iterable

from wherry.engine.volumes.record import NoSuchVolume, VolumeInUse
from wherry.engine.volumes.state import VolumeState


class RemoveVolume:
    """Removes volumes that no container refers to."""

    def __init__(self, state: VolumeState) -> None:
        """`state` removes them."""
        self._state = state

    async def __call__(self, name: str, *, force: bool = False) -> None:
        """Raises NoSuchVolume (not with `force`) and VolumeInUse."""
        await self._state.remove(name, force=force)

    async def anonymous(self, names: Iterable[str]) -> None:
        """Removes those of `names` that are anonymous and unused: the end of `rm --volumes`."""
        for name in names:
            if self._state.exists(name) and self._state.get(name).anonymous:
                try:
                    await self._state.remove(name)
                except (NoSuchVolume, VolumeInUse):
                    continue  # another container shares it, or it went meanwhile: both are fine
