"""What everything takes on disk: the answer to `docker system df`."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from typing import Any

import msgspec

from wherry.base.errors import InvalidParameter
from wherry.engine.volumes.state import VolumeState
from wherry.model.docker.system import DiskUsageResponse

TYPES = frozenset({"container", "image", "volume", "build-cache"})

Summaries = Callable[[], Awaitable[list[Any]]]


class DiskUsage:
    """Measures images, containers and volumes."""

    def __init__(
        self,
        volumes: VolumeState,
        images: Summaries,
        containers: Summaries,
        layers_size: Callable[[], Awaitable[int]],
    ) -> None:
        """`images` and `containers` list summaries with sizes, in the API's shape."""
        self._volumes = volumes
        self._images = images
        self._containers = containers
        self._layers_size = layers_size

    async def __call__(self, types: Collection[str]) -> DiskUsageResponse:
        """The usage of the kinds asked for, all without any; raises InvalidParameter."""
        for kind in types:
            if kind not in TYPES:
                raise InvalidParameter(f"unknown object type: {kind}")
        wanted = frozenset(types) or TYPES
        images, containers, volumes, layers = await asyncio.gather(
            self._images() if "image" in wanted else _nothing(),
            self._containers() if "container" in wanted else _nothing(),
            self._measured_volumes() if "volume" in wanted else _nothing(),
            self._layers_size() if "image" in wanted else _zero(),
        )
        return DiskUsageResponse(
            layers_size=layers if "image" in wanted else msgspec.UNSET,
            images=images if "image" in wanted else msgspec.UNSET,
            containers=containers if "container" in wanted else msgspec.UNSET,
            volumes=volumes if "volume" in wanted else msgspec.UNSET,
            build_cache=[] if "build-cache" in wanted else msgspec.UNSET,
        )

    async def _measured_volumes(self) -> list[Any]:
        records = self._volumes.records()
        sizes = await asyncio.gather(*(self._volumes.size(r.name) for r in records))
        return [
            self._volumes.describe(record, size)
            for record, size in zip(records, sizes, strict=True)
        ]


async def _nothing() -> list[Any]:
    return []


async def _zero() -> int:
    return 0
