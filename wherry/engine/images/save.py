"""Sending images as an archive."""

import contextlib
import os
import tempfile
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from wherry.base.errors import InvalidParameter
from wherry.engine.images.told import tell
from wherry.engine.pools import Pools
from wherry.engine.system.event_bus import EventBus
from wherry.images.catalog import ImageCatalog, is_id
from wherry.images.errors import NoSuchImage
from wherry.images.save import Chosen, SaveImages
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
    async def __call__(
        self, names: Sequence[str], platforms: Sequence[str] = ()
    ) -> AsyncIterator[str]:
        """The path of the archive of these images, removed afterwards.

        Raises NoSuchImage, InvalidParameter without names, NotFound without one of `platforms`.
        """
        if not any(names):
            raise InvalidParameter("no images to save: name at least one")
        chosen = self._choose(names)
        descriptor, path = tempfile.mkstemp(dir=self._scratch, prefix="save-")
        os.close(descriptor)
        try:
            await self._pools.run("pull", self._save, path, chosen, platforms)
            for image, _ in chosen:
                tell(self._events, "save", image)
            yield path
        finally:
            os.unlink(path)

    def _choose(self, names: Sequence[str]) -> list[Chosen]:
        chosen: dict[str, Chosen] = {}

        def add(image: Image, references: Sequence[Reference]) -> None:
            known = chosen.setdefault(image.id, Chosen(image, []))
            new = [item for item in references if item not in known.references]
            chosen[image.id] = Chosen(image, [*known.references, *new])

        for name in names:
            tags = self._all_tags(name)
            for reference in tags:
                # A repository without a tag means all of its tags.
                add(self._catalog.get(reference.familiar()), [reference])
            if not tags:
                try:
                    image = self._catalog.get(name)
                except NoSuchImage:
                    raise NoSuchImage(name) from None  # no tag was asked for that could be shown
                wanted = None if is_id(name, image) else Reference.parse(name)
                add(image, [item for item in image.references if item == wanted])
        return list(chosen.values())

    def _all_tags(self, name: str) -> list[Reference]:
        """The names here of a repository that is named without a tag; none for anything else."""
        if name.startswith("sha256:") or len(name) == 64:
            return []
        bare = Reference.parse_bare(name)
        if bare.tag or bare.digest:
            return []
        found = self._catalog.tags(bare.name)
        return [Reference(bare.domain, bare.path, tag) for tag in found]
