"""Sending images as an archive."""

import contextlib
import os
import tempfile
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from wherry.engine.pools import Pools
from wherry.engine.system.event_bus import EventBus
from wherry.images.catalog import ImageCatalog
from wherry.images.save import SaveImages
from wherry.model.image import Image
from wherry.model.reference import Reference


class SendImages:
    """Writes the archive to a scratch file, which is sent when it is whole."""

    def __init__(
        self, catalog: ImageCatalog, save: SaveImages, scratch: Path, pools: Pools,
        events: EventBus,
    ) -> None:  # fmt: skip
        self._catalog = catalog
        self._save = save
        self._scratch = scratch
        self._pools = pools
        self._events = events

    @contextlib.asynccontextmanager
    async def __call__(self, names: Sequence[str]) -> AsyncIterator[str]:
        """The path of the archive of these images, removed afterwards; raises NoSuchImage."""
        chosen = self._choose(names)
        descriptor, path = tempfile.mkstemp(dir=self._scratch, prefix="save-")
        os.close(descriptor)
        try:
            await self._pools.run("pull", self._save, path, chosen)
            for image, _ in chosen:
                self._events.publish("image", "save", image.id, {"name": image.id})
            yield path
        finally:
            os.unlink(path)

    def _choose(self, names: Sequence[str]) -> list[tuple[Image, list[Reference]]]:
        chosen: dict[str, tuple[Image, list[Reference]]] = {}
        for name in names:
            image = self._catalog.get(name)
            _, references = chosen.setdefault(image.id, (image, []))
            by_id = image.id.removeprefix("sha256:").startswith(name.removeprefix("sha256:"))
            if by_id:
                continue
            bare = Reference.parse_bare(name)
            wanted = [item for item in image.references if item == Reference.parse(name)]
            if not bare.tag and not bare.digest:
                # A repository without a tag means all of its tags.
                for other in self._catalog.images():
                    tags = [item for item in other.references if item.name == bare.name]
                    if tags:
                        _, found = chosen.setdefault(other.id, (other, []))
                        found += [item for item in tags if item not in found]
            references += [item for item in wanted if item not in references]
        return list(chosen.values())
