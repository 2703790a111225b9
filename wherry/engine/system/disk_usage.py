"""What everything takes on disk: the answer to `docker system df`."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from functools import partial
from typing import Any, NamedTuple

from wherry.base.errors import InvalidParameter
from wherry.engine.pools import Pools
from wherry.engine.system.data_root import DataRoot
from wherry.engine.system.image_usage import ImageUsage
from wherry.engine.system.kept_sizes import KeptSizes
from wherry.engine.volumes.state import VolumeState
from wherry.model.docker.container_summary import ContainerSummary
from wherry.model.docker.disk_usage import DataRootUsage, ImageItem, Usage
from wherry.model.docker.volume import UsageData, VolumeResource

TYPES = frozenset({"container", "image", "volume", "build-cache"})
_ACTIVE = ("running", "paused", "restarting")

Summaries = Callable[[KeptSizes], Awaitable[list[ContainerSummary]]]


class Measured(NamedTuple):
    """The usage of each kind that was asked for, None for the others."""

    images: Usage[ImageItem] | None
    containers: Usage[ContainerSummary] | None
    volumes: Usage[VolumeResource] | None
    build_cache: Usage[Any] | None
    data_root: DataRootUsage | None


class DiskUsage:
    """Measures images, containers, volumes and the rest of the data root."""

    def __init__(
        self, volumes: VolumeState, images: ImageUsage, containers: Summaries,
        data_root: DataRoot, sizes: KeptSizes, pools: Pools,
    ) -> None:  # fmt: skip
        """`containers` lists summaries with the sizes that are kept of them."""
        self._volumes = volumes
        self._images = images
        self._containers = containers
        self._data_root = data_root
        self._sizes = sizes
        self._pools = pools

    async def __call__(self, types: Collection[str]) -> Measured:
        """The usage of the kinds asked for, all without any; raises InvalidParameter."""
        for kind in types:
            if kind not in TYPES:
                raise InvalidParameter(f"unknown object type: {kind}")
        wanted = frozenset(types) or TYPES
        return Measured(*await asyncio.gather(
            self._pools.run("disk", self._images) if "image" in wanted else _nothing(),
            self._containers_usage() if "container" in wanted else _nothing(),
            self._volumes_usage() if "volume" in wanted else _nothing(),
            _no_cache() if "build-cache" in wanted else _nothing(),
            self._data_root.usage() if not types else _nothing(),
        ))  # fmt: skip

    async def _containers_usage(self) -> Usage[ContainerSummary]:
        items = await self._containers(self._sizes)
        sizes = [item.size_rw if isinstance(item.size_rw, int) else 0 for item in items]
        return Usage(
            active_count=sum(item.state in _ACTIVE for item in items),
            total_count=len(items),
            total_size=sum(sizes),
            reclaimable=sum(size for item, size in zip(items, sizes, strict=True)
                            if item.state not in _ACTIVE),
            items=items,
        )  # fmt: skip

    async def _volumes_usage(self) -> Usage[VolumeResource]:
        records = self._volumes.records()
        sizes = await asyncio.gather(*(self._volume_size(record.name) for record in records))
        items = [
            self._volumes.describe(record, size)
            for record, size in zip(records, sizes, strict=True)
        ]
        measured = [item.usage_data for item in items if isinstance(item.usage_data, UsageData)]
        unused = [item for item in measured if item.size >= 0 and item.ref_count == 0]
        return Usage(
            active_count=len(items) - len(unused),
            total_count=len(items),
            total_size=sum(max(item.size, 0) for item in measured),
            reclaimable=sum(item.size for item in unused),
            items=items,
        )

    async def _volume_size(self, name: str) -> int:
        measure = self._volumes.measure(name)
        return -1 if measure is None else await self._sizes.of(f"volume {name}", partial(measure))


async def _nothing() -> None:
    return None


async def _no_cache() -> Usage[Any]:
    return Usage()
