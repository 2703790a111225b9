"""Telling a container's terminal its size."""

from wherry.engine.containers.activity import monitor_of
from wherry.engine.containers.index import ContainerIndex
from wherry.engine.pools import Pools
from wherry.engine.system.event_bus import EventBus


class ResizeContainer:
    """Resizes the terminal of a running container."""

    def __init__(self, index: ContainerIndex, pools: Pools, events: EventBus) -> None:
        self._index = index
        self._pools = pools
        self._events = events

    async def __call__(self, reference: str, height: int, width: int) -> None:
        """Raises NoSuchContainer and ContainerNotRunning."""
        container = self._index.get(reference)
        monitor = monitor_of(container)
        await self._pools.run("supervisor", monitor.resize, None, height, width)
        attributes = {**container.attributes(), "height": str(height), "width": str(width)}
        self._events.publish("container", "resize", container.id, attributes)
