"""What images take on disk: layers that several share are counted once."""

from collections import Counter
from collections.abc import Callable

from wherry.base.clock import parse_rfc3339
from wherry.base.errors import NotFound
from wherry.images.catalog import ImageCatalog
from wherry.model.docker.disk_usage import ImageItem, Usage
from wherry.model.image import Image
from wherry.store.snapshot.driver import Snapshots


class ImageUsage:
    """Adds up layers; their sizes never change, so each is looked up once."""

    def __init__(
        self, catalog: ImageCatalog, snapshots: Snapshots, users: Callable[[], Counter[str]]
    ) -> None:
        """`users` counts the containers of each image."""
        self._catalog = catalog
        self._snapshots = snapshots
        self._users = users
        self._sizes: dict[str, int] = {}

    def __call__(self) -> Usage[ImageItem]:
        """All images but those that only lie below others; blocking, for pools."""
        users = self._users()
        images = self._catalog.images()
        sharing = Counter(name for image in images for name in set(image.chain))
        parents = {image.parent for image in images if image.parent}
        items = [
            self._item(image, users[image.id], sharing) for image in images
            if not (image.dangling and image.id in parents)
        ]  # fmt: skip
        return Usage(
            active_count=sum(item.containers > 0 for item in items),
            total_count=len(items),
            total_size=sum(self._size(name) for name in sharing),
            reclaimable=sum(item.size - item.shared_size for item in items if not item.containers),
            items=items,
        )

    def _item(self, image: Image, containers: int, sharing: Counter[str]) -> ImageItem:
        config = image.config.config
        return ImageItem(
            containers=containers,
            created=parse_rfc3339(image.config.created) // 10**9 if image.config.created else 0,
            id=image.id,
            labels=config.labels if config else None,
            parent_id=image.parent,
            repo_digests=list(image.repo_digests),
            repo_tags=[reference.familiar() for reference in image.references],
            shared_size=sum(self._size(name) for name in set(image.chain) if sharing[name] > 1),
            size=image.size,
        )

    def _size(self, name: str) -> int:
        if name not in self._sizes:
            try:
                self._sizes[name] = self._snapshots.layer_size(name)
            except NotFound:
                return 0  # it is being removed
        return self._sizes[name]
