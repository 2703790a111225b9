"""Removing all containers that do not run."""

from wherry.base.clock import now_ns, parse_rfc3339
from wherry.base.errors import Conflict, NotFound
from wherry.engine.containers.index import ContainerIndex
from wherry.engine.containers.remove import RemoveContainer
from wherry.engine.filters import Filters, check_filters, kept_by_labels, until
from wherry.engine.pools import Pools
from wherry.engine.system.event_bus import EventBus
from wherry.model.docker.container_summary import PruneResponse
from wherry.store.snapshot.driver import Snapshots

FILTERS = frozenset({"label", "label!", "until"})


class PruneContainers:
    """Removes stopped containers; named volumes stay."""

    def __init__(
        self, index: ContainerIndex, remove: RemoveContainer, snapshots: Snapshots,
        pools: Pools, events: EventBus,
    ) -> None:  # fmt: skip
        self._index = index
        self._remove = remove
        self._snapshots = snapshots
        self._pools = pools
        self._events = events

    async def __call__(self, filters: Filters) -> PruneResponse:
        """What was removed and the bytes that it took; raises InvalidParameter."""
        check_filters(filters, FILTERS)
        limit = until(filters, now_ns())
        removed: list[str] = []
        reclaimed = 0
        for container in self._index.all():
            record = container.record
            if container.state.running or container.removed:
                continue
            if limit is not None and parse_rfc3339(record.created) >= limit:
                continue
            if kept_by_labels(record.config.labels, filters):
                continue
            size = await self._pools.run("disk", self._snapshots.usage, container.id)
            try:
                await self._remove(container)
            except (Conflict, NotFound):
                continue  # it was started or removed since the look
            removed.append(container.id)
            reclaimed += size
        self._events.publish("container", "prune", "", {"reclaimed": str(reclaimed)})
        return PruneResponse(removed or None, reclaimed)
