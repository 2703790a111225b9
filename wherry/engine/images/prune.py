"""Removing all images that nothing names, or that no container uses."""

from wherry.base.clock import now_ns
from wherry.base.errors import Conflict, InvalidParameter, NotFound
from wherry.engine.filters import Filters, check_filters, flag, kept_by_labels, until
from wherry.engine.images.list import created_ns
from wherry.engine.images.remove import RemoveImage
from wherry.engine.pools import Pools
from wherry.engine.system.event_bus import EventBus
from wherry.images.catalog import ImageCatalog
from wherry.images.downloads import Downloads
from wherry.images.layers import ImageLayers
from wherry.model.docker.image import DeleteRow, ImagesPruneResponse
from wherry.model.image import Image

FILTERS = frozenset({"dangling", "label", "label!", "until"})


class PruneImages:
    """Removes images by dockerd's rules, and what earlier pulls and crashes left."""

    def __init__(
        self, catalog: ImageCatalog, remove: RemoveImage, layers: ImageLayers,
        downloads: Downloads, pools: Pools, events: EventBus,
    ) -> None:  # fmt: skip
        self._catalog = catalog
        self._remove = remove
        self._layers = layers
        self._downloads = downloads
        self._pools = pools
        self._events = events
        self._running = False

    async def __call__(self, filters: Filters) -> ImagesPruneResponse:
        """What was removed, and the bytes given back; raises InvalidParameter, Conflict."""
        if self._running:
            raise Conflict("a prune operation is already running")
        check_filters(filters, FILTERS)
        dangling = flag(filters, "dangling")
        limit = _until(filters)
        self._running = True
        try:
            rows, freed = await self._images(filters, limit, everything=dangling is False)
            if limit is None and "label" not in filters and "label!" not in filters:
                freed += (await self._pools.run("disk", self._layers.drop_orphans)).size
                freed += await self._pools.run("disk", self._downloads.forget_unused)
        finally:
            self._running = False
        self._events.publish("image", "prune", "", {"reclaimed": str(freed)})
        return ImagesPruneResponse(rows or None, freed)

    async def _images(
        self, filters: Filters, limit: int | None, *, everything: bool
    ) -> tuple[list[DeleteRow], int]:
        rows: list[DeleteRow] = []
        freed = 0
        parents = self._catalog.parents()
        for image in self._catalog.images():
            if not self._catalog.has(image.id) or (image.held and not image.references):
                continue  # gone with another, or a platform of an index that is named
            if not image.references and image.id in parents:
                continue
            if image.references and not everything:
                continue
            if limit is not None and not 0 < created_ns(image) <= limit:
                continue
            if kept_by_labels(image.labels, filters):
                continue
            for name in [item.familiar() for item in image.references] or _digests(image):
                try:
                    removed, size = await self._remove.measured(name)
                except (Conflict, NotFound):
                    continue  # used, or somebody was faster
                rows += removed
                freed += size
        return rows, freed


def _digests(image: Image) -> list[str]:
    """By what an image without a tag is removed: its id goes for all digests of one repository."""
    repositories = {name.partition("@")[0] for name in image.repo_digests}
    return [*image.repo_digests] if len(repositories) > 1 else [image.id]


def _until(filters: Filters) -> int | None:
    try:
        return until(filters, now_ns())
    except InvalidParameter as error:
        if "more than one" in error.message:
            raise
        raise InvalidParameter(f"invalid value for 'until' filter: {error.message}") from None
