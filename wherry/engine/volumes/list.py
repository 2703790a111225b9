"""Which volumes there are."""

from wherry.engine.filters import Filters, check_filters, flag, matches_labels
from wherry.engine.volumes.record import VolumeRecord
from wherry.engine.volumes.state import VolumeState
from wherry.model.docker.volume import VolumeResource

FILTERS = frozenset({"dangling", "driver", "label", "name"})


class ListVolumes:
    """Lists volumes; answered from memory."""

    def __init__(self, state: VolumeState) -> None:
        """`state` holds the volumes."""
        self._state = state

    def __call__(self, filters: Filters) -> list[VolumeResource]:
        """The volumes that pass the filters, by name."""
        check_filters(filters, FILTERS)
        flag(filters, "dangling")
        found = [record for record in self._state.records() if self._passes(record, filters)]
        found.sort(key=lambda record: record.name)
        return [self._state.describe(record) for record in found]

    def _passes(self, record: VolumeRecord, filters: Filters) -> bool:
        names, drivers = filters.get("name", ()), filters.get("driver", ())
        dangling = flag(filters, "dangling")
        return (
            (not names or any(name in record.name for name in names))
            and (not drivers or "local" in drivers)
            and matches_labels(record.labels, filters.get("label", ()))
            and (dangling is None or dangling is not bool(self._state.users(record.name)))
        )
