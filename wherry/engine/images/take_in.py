"""Images that arrive as archives: load and import."""

import contextlib
import os
import tempfile
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from wherry.base import crash_points
from wherry.base.files import naming
from wherry.engine.images.told import tell
from wherry.engine.pools import Pools
from wherry.engine.system.event_bus import EventBus
from wherry.images.downloads import Progress
from wherry.images.importing import ImportImage
from wherry.images.load import LoadImages
from wherry.model.docker.progress import moving
from wherry.model.image import Image
from wherry.model.reference import Reference
from wherry.remote.download import open_url
from wherry.remote.endpoint import RegistrySettings


class TakeIn:
    """Receives an archive into a scratch file, then reads it in a thread."""

    def __init__(
        self, load: LoadImages, import_image: ImportImage, scratch: Path,
        settings: RegistrySettings, pools: Pools, events: EventBus,
    ) -> None:  # fmt: skip
        self._settings = settings
        self._load = load
        self._import = import_image
        self._scratch = scratch
        self._pools = pools
        self._events = events

    async def load(
        self, body: AsyncIterator[bytes], platforms: Sequence[str], quiet: bool, report: Progress
    ) -> list[Image]:
        """Loads the images of an archive; `report` is called in a thread with Docker's lines."""
        async with self._received(body) as path:
            images = await self._pools.run("pull", self._load, path, platforms, report, quiet=quiet)
        for image in images:
            tell(self._events, "load", image)
        return images

    async def import_archive(
        self, body: AsyncIterator[bytes], reference: Reference | None, changes: Sequence[str],
        message: str, platform: str,
    ) -> Image:  # fmt: skip
        """Makes an image of a root file system's archive."""
        async with self._received(body) as path:
            image = await self._pools.run(
                "pull", self._import, path, reference=reference, changes=changes,
                message=message, platform=platform,
            )  # fmt: skip
        tell(self._events, "import", image)
        return image

    async def download(self, url: str, report: Progress) -> AsyncIterator[bytes]:
        """The content at a URL, piece by piece; `report` is called in the loop."""
        pieces = await self._pools.run("pull", open_url, url, self._settings)
        report({"status": f"Downloading from {pieces.url}"})
        try:
            while piece := await self._pools.run("pull", pieces.read):
                report(moving("Importing", "", pieces.done, pieces.size))
                yield piece
        finally:
            pieces.close()

    @contextlib.asynccontextmanager
    async def _received(self, body: AsyncIterator[bytes]) -> AsyncIterator[str]:
        self._scratch.mkdir(parents=True, exist_ok=True)
        descriptor, path = tempfile.mkstemp(dir=self._scratch, prefix="archive-")
        try:
            with naming(path), os.fdopen(descriptor, "wb") as file:
                async for piece in body:
                    await self._pools.run("disk", file.write, piece)
            crash_points.reach("archive.received")
            yield path
        finally:
            os.unlink(path)
