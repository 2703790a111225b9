"""Removing all volumes that nobody uses."""

from wherry.engine.filters import Filters, check_filters, flag, kept_by_labels
from wherry.engine.volumes.record import NoSuchVolume, VolumeInUse
from wherry.engine.volumes.state import VolumeState
from wherry.model.docker.volume import VolumesPruneResponse

FILTERS = frozenset({"all", "label", "label!"})


class PruneVolumes:
    """Removes volumes that no container refers to."""

    def __init__(self, state: VolumeState) -> None:
        """`state` measures and removes them."""
        self._state = state

    async def __call__(self, filters: Filters, *, named: bool = False) -> VolumesPruneResponse:
        """Removes anonymous volumes, and named ones with the filter `all` or with `named`.

        `named` is how API versions below 1.42 behave.
        """
        check_filters(filters, FILTERS)
        everything = named or bool(flag(filters, "all"))
        removed: list[str] = []
        reclaimed = 0
        for record in self._state.records():
            if not (everything or record.anonymous) or self._state.users(record.name):
                continue
            if kept_by_labels(record.labels, filters):
                continue
            size = await self._state.size(record.name)
            try:
                await self._state.remove(record.name)
            except (NoSuchVolume, VolumeInUse):
                continue  # somebody was faster; it is not ours to count
            removed.append(record.name)
            reclaimed += max(size, 0)
        self._state.publish_prune(reclaimed)
        return VolumesPruneResponse(removed, reclaimed)
