"""One image in full, and how it came to be."""

import msgspec

from wherry.base.clock import ZERO_TIME, parse_rfc3339, rfc3339_nano
from wherry.base.errors import InvalidParameter
from wherry.engine.images.describe import DescribeImages
from wherry.engine.pools import Pools
from wherry.images.catalog import ImageCatalog
from wherry.images.errors import NoSuchImage
from wherry.model.docker.image import UNSET, HistoryRow, ImageInspect
from wherry.model.image import Image
from wherry.model.image_config import RuntimeConfig

_MISSING = "<missing>"


class InspectImage:
    """Images and their histories in the API's shape."""

    def __init__(
        self, catalog: ImageCatalog, describe: DescribeImages, pools: Pools, driver: str
    ) -> None:
        """`driver` is the storage driver's name."""
        self._catalog = catalog
        self._describe = describe
        self._pools = pools
        self._driver = driver

    async def __call__(
        self, name: str, *, manifests: bool = False, platform: str = ""
    ) -> ImageInspect:
        """Raises NoSuchImage, NoSuchPlatform; InvalidParameter for manifests of a platform."""
        if manifests and platform:
            raise InvalidParameter(
                "conflicting options: manifests and platform options cannot both be set"
            )
        image = self._catalog.get_for(name, platform)
        found = (
            await self._pools.run("disk", self._describe.manifests, image, name)
            if manifests
            else UNSET
        )
        config = image.config
        return ImageInspect(
            id=image.id,
            repo_tags=[item.familiar() for item in image.references],
            repo_digests=list(image.repo_digests),
            parent=image.parent,
            comment=config.history[-1].comment if config.history else "",
            created=config.created or UNSET,
            author=config.author,
            config=msgspec.to_builtins(config.config or RuntimeConfig()),
            architecture=config.architecture,
            variant=config.variant or UNSET,
            os=config.os or "linux",
            os_version=config.os_version or UNSET,
            size=image.size,
            graph_driver={"Name": self._driver, "Data": None},
            root_fs={"Type": "layers", "Layers": list(config.rootfs.diff_ids)},
            metadata={
                "LastTagTime": rfc3339_nano(image.tagged_at) if image.tagged_at else ZERO_TIME
            },
            identity=self._describe.identity(image) or UNSET,
            descriptor=self._describe.descriptor(image) or UNSET,
            manifests=found,
        )

    async def history(self, name: str, *, platform: str = "") -> list[HistoryRow]:
        """Newest first; raises NoSuchImage, NoSuchPlatform."""
        image = self._catalog.get_for(name, platform)
        sizes = await self._pools.run("disk", self._describe.layer_sizes, image)
        rows: list[HistoryRow] = []
        for entry in image.config.history:
            size = sizes.pop(0) if sizes and not entry.empty_layer else 0
            made = parse_rfc3339(entry.created) if entry.created else 0
            rows.append(HistoryRow(
                id=_MISSING, created=made // 10**9, created_by=entry.created_by, tags=None,
                size=size, comment=entry.comment,
            ))  # fmt: skip
        rows.reverse()
        for position, made_here in enumerate(self._line(image)[: len(rows)]):
            rows[position] = msgspec.structs.replace(
                rows[position], id=made_here.id,
                tags=[item.familiar() for item in made_here.references] or None,
            )  # fmt: skip
        return rows

    def _line(self, image: Image) -> list[Image]:
        """The image and those that it was committed on top of, each a row of history apart."""
        line = [image]
        while line[-1].parent:
            try:
                parent = self._catalog.get(line[-1].parent)
            except NoSuchImage:
                break
            if len(parent.config.history) != len(line[-1].config.history) - 1:
                break
            line.append(parent)
        return line
