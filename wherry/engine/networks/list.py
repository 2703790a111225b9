"""Which networks there are."""

from collections.abc import Callable

from wherry.base.errors import InvalidParameter
from wherry.engine.filters import Filters, check_filters, flag, matches_labels
from wherry.engine.networks.state import NetworkState
from wherry.model.docker.network import NetworkResource
from wherry.network.record import NetworkRecord

FILTERS = frozenset({"dangling", "driver", "id", "label", "name", "scope", "type"})


class ListNetworks:
    """Lists networks; answered from memory."""

    def __init__(self, state: NetworkState) -> None:
        """`state` holds the networks."""
        self._state = state

    def __call__(self, filters: Filters) -> list[NetworkResource]:
        """The networks that pass the filters, without their containers, newest first."""
        check_filters(filters, FILTERS)
        for kind in filters.get("type", ()):
            if kind not in ("builtin", "custom"):
                raise InvalidParameter(f"invalid filter: 'type'='{kind}'")
        found = [r for r in self._state.catalog.records() if self._passes(r, filters)]
        found.sort(key=lambda record: record.created, reverse=True)
        return [self._state.describe(record, containers=False) for record in found]

    def _passes(self, record: NetworkRecord, filters: Filters) -> bool:
        kind = "builtin" if record.predefined else "custom"
        dangling = flag(filters, "dangling")
        used = record.predefined or bool(self._state.catalog.endpoints(record.id))
        return (
            _any(filters, "driver", lambda value: value == record.driver)
            and _any(filters, "scope", lambda value: value == "local")
            and _any(filters, "type", lambda value: value == kind)
            and _any(filters, "name", lambda value: value in record.name)
            and _any(filters, "id", lambda value: record.id.startswith(value))
            and matches_labels(record.labels, filters.get("label", ()))
            and (dangling is None or dangling is not used)
        )


def _any(filters: Filters, key: str, matches: Callable[[str], bool]) -> bool:
    values = filters.get(key)
    return not values or any(matches(value) for value in values)
