"""Removing all networks that nobody uses."""

from collections.abc import Callable

from wherry.base.clock import now_ns, parse_rfc3339
from wherry.engine.filters import Filters, check_filters, kept_by_labels, until
from wherry.engine.networks.state import NetworkState
from wherry.network.errors import NetworkHasEndpoints

FILTERS = frozenset({"label", "label!", "until"})


class PruneNetworks:
    """Removes user networks that no container, running or not, refers to."""

    def __init__(self, state: NetworkState, referred: Callable[[], set[str]]) -> None:
        """`referred` lists names and ids of the networks that containers' records name."""
        self._state = state
        self._referred = referred

    async def __call__(self, filters: Filters) -> list[str]:
        """The names of the removed networks."""
        check_filters(filters, FILTERS)
        before = until(filters, now_ns())
        removed = []
        referred = self._referred()
        for record in self._state.catalog.records():
            if record.predefined or record.config_only or {record.name, record.id} & referred:
                continue
            if self._state.catalog.endpoints(record.id) or kept_by_labels(record.labels, filters):
                continue
            if before is not None and parse_rfc3339(record.created) > before:
                continue
            try:
                await self._state.remove(record)
            except NetworkHasEndpoints:
                continue  # a container joined since the look: it is in use after all
            removed.append(record.name)
        self._state.publish_prune()
        return removed
