"""Images that arrive as archives: load and import."""

import contextlib
import os
import tempfile
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from wherry.engine.pools import Pools
from wherry.engine.system.event_bus import EventBus
from wherry.images.importing import ImportImage
from wherry.images.load import LoadImages, Report
from wherry.model.image import Image
from wherry.model.reference import Reference


class TakeIn:
    """Receives an archive into a scratch file, then reads it in a thread."""

    def __init__(
        self, load: LoadImages, import_image: ImportImage, scratch: Path, pools: Pools,
        events: EventBus,
    ) -> None:  # fmt: skip
        self._load = load
        self._import = import_image
        self._scratch = scratch
        self._pools = pools
        self._events = events

    async def load(self, body: AsyncIterator[bytes], report: Report) -> list[Image]:
        """Loads all images of an archive; `report` is called with Docker's lines."""
        async with self._received(body) as path:
            images = await self._pools.run("pull", self._load, path, report)
        for image in images:
            self._events.publish("image", "load", image.id, {"name": image.id})
        return images

    async def import_archive(
        self, body: AsyncIterator[bytes], reference: Reference | None, changes: Sequence[str],
        message: str, architecture: str,
    ) -> Image:  # fmt: skip
        """Makes an image of a root file system's archive."""
        async with self._received(body) as path:
            image = await self._pools.run(
                "pull", self._import, path, reference=reference, changes=changes,
                message=message, architecture=architecture,
            )  # fmt: skip
        self._events.publish("image", "import", image.id, {"name": image.id})
        return image

    @contextlib.asynccontextmanager
    async def _received(self, body: AsyncIterator[bytes]) -> AsyncIterator[str]:
        self._scratch.mkdir(parents=True, exist_ok=True)
        descriptor, path = tempfile.mkstemp(dir=self._scratch, prefix="archive-")
        try:
            with os.fdopen(descriptor, "wb") as file:
                async for piece in body:
                    await self._pools.run("disk", file.write, piece)
            yield path
        finally:
            os.unlink(path)
