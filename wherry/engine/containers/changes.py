"""What a container changed in its image (`docker diff`)."""

import msgspec

from wherry.engine.containers.index import ContainerIndex
from wherry.engine.pools import Pools
from wherry.engine.task_streams import ended_with, result
from wherry.store.layer.changes import Change, ChangesRequest
from wherry.store.snapshot.driver import Snapshots
from wherry.supervisor.client import Supervisor

TASK = "layer.changes"


class ContainerChanges:
    """Compares a container's layer with its image."""

    def __init__(
        self, index: ContainerIndex, snapshots: Snapshots, supervisor: Supervisor,
        pools: Pools,
    ) -> None:  # fmt: skip
        self._index = index
        self._snapshots = snapshots
        self._supervisor = supervisor
        self._pools = pools

    async def __call__(self, reference: str) -> list[Change]:
        """The changes by path; raises NoSuchContainer."""
        container = self._index.get(reference)
        snapshots = self._snapshots
        request = ChangesRequest(
            snapshots.lower(container.id), str(snapshots.upper(container.id)), snapshots.complete
        )
        task = self._supervisor.run_task(TASK, msgspec.json.encode(request))
        with ended_with(task):
            data = await result(task, self._pools)
        return msgspec.json.decode(data, type=list[Change])
