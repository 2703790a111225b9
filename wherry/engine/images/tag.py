"""Giving an image another name."""

from wherry.engine.images.told import tell
from wherry.engine.pools import Pools
from wherry.engine.system.event_bus import EventBus
from wherry.images.catalog import ImageCatalog
from wherry.model.reference import Reference


class TagImage:
    """Names images; a name that another image had is taken from it."""

    def __init__(self, catalog: ImageCatalog, pools: Pools, events: EventBus) -> None:
        self._catalog = catalog
        self._pools = pools
        self._events = events

    async def __call__(self, name: str, reference: Reference) -> None:
        """Raises NoSuchImage."""
        image = await self._pools.run("disk", self._catalog.tag, name, reference)
        tell(self._events, "tag", image, reference.familiar())
