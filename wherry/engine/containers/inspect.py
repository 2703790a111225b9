"""Everything about one container that is not in its record: paths of its layer, sizes."""

from typing import NamedTuple

from wherry.base.errors import NotFound
from wherry.engine.containers.container import Container
from wherry.engine.containers.defaults import ContainerDefaults
from wherry.engine.containers.index import ContainerIndex
from wherry.engine.pools import Pools
from wherry.images.catalog import ImageCatalog
from wherry.store.snapshot.driver import Snapshots


class Inspected(NamedTuple):
    """A container with what was looked up for it; sizes are None unless asked for."""

    container: Container
    directory: str
    driver: str
    layer: dict[str, str]
    sizes: tuple[int, int] | None


class InspectContainer:
    """Looks a container up."""

    def __init__(
        self, index: ContainerIndex, images: ImageCatalog, snapshots: Snapshots,
        pools: Pools, defaults: ContainerDefaults,
    ) -> None:  # fmt: skip
        self._index = index
        self._images = images
        self._snapshots = snapshots
        self._pools = pools
        self._defaults = defaults

    async def __call__(self, reference: str, *, size: bool = False) -> Inspected:
        """The container of a name or id; raises NoSuchContainer."""
        container = self._index.get(reference)
        layer = await self._pools.run("disk", self._layer, container.id)
        sizes = None
        if size:
            own = await self._pools.run("disk", self._snapshots.usage, container.id)
            sizes = (own, own + self._image_size(container.record.image_id))
        directory = str(self._defaults.container_dir(container.id))
        return Inspected(container, directory, self._snapshots.name, layer, sizes)

    def _layer(self, identifier: str) -> dict[str, str]:
        try:
            mount = self._snapshots.mounts(identifier)[0]
        except NotFound:
            return {}
        if mount.type != "overlay":
            return {"ID": identifier}
        options = dict(item.split("=", 1) for item in mount.options if "=" in item)
        return {
            "ID": identifier,
            "LowerDir": options.get("lowerdir", ""),
            "MergedDir": str(self._defaults.state_dir(identifier) / "rootfs"),
            "UpperDir": options.get("upperdir", ""),
            "WorkDir": options.get("workdir", ""),
        }

    def _image_size(self, identifier: str) -> int:
        try:
            return self._images.get(identifier).size
        except NotFound:
            return 0
