"""Removing images: a name, or the image with its layers when nothing holds it."""

from typing import NamedTuple

from wherry.base.errors import Conflict
from wherry.engine.containers.index import ContainerIndex
from wherry.engine.pools import Pools
from wherry.engine.system.event_bus import EventBus
from wherry.images.catalog import ImageCatalog
from wherry.model.image import Image
from wherry.model.reference import Reference
from wherry.store.content.layers import LayerArchives
from wherry.store.snapshot.driver import Snapshots


class Removed(NamedTuple):
    """One line of the answer: a name taken away, or content deleted."""

    untagged: str = ""
    deleted: str = ""


class RemoveImage:
    """Untags and deletes by Docker's rules."""

    def __init__(
        self, catalog: ImageCatalog, snapshots: Snapshots, archives: LayerArchives,
        index: ContainerIndex, pools: Pools, events: EventBus,
    ) -> None:  # fmt: skip
        self._catalog = catalog
        self._snapshots = snapshots
        self._archives = archives
        self._index = index
        self._pools = pools
        self._events = events

    async def __call__(self, name: str, *, force: bool) -> list[Removed]:
        """Raises NoSuchImage, and Conflict in Docker's words for what is in use."""
        image = self._catalog.get(name)
        by_id = image.id.removeprefix("sha256:").startswith(name.removeprefix("sha256:"))
        if not by_id and len(image.references) > 1:
            return [self._untag(image, Reference.parse(name))]
        if by_id and len(image.references) > 1 and not force:
            raise Conflict(
                f"conflict: unable to delete {image.id[7:19]} (must be forced) - image is "
                "referenced in multiple repositories"
            )
        self._refuse_used(image, name, by_id=by_id, force=force)
        removed = [self._untag(image, reference) for reference in image.references]
        if self._users(image):
            return removed
        return removed + await self._delete(image)

    def _users(self, image: Image) -> list[tuple[str, bool]]:
        return [(item.id, item.state.running) for item in self._index.all()
                if item.uses_image(image.id)]  # fmt: skip

    def _refuse_used(self, image: Image, name: str, *, by_id: bool, force: bool) -> None:
        for identifier, running in self._users(image):
            what = (f"unable to delete {image.id[7:19]}" if by_id else
                    f'unable to remove repository reference "{name}"')  # fmt: skip
            if running and (by_id or not force):
                how = "cannot be forced" if by_id else "must force"
                users = f"container {identifier[:12]} is using its referenced image"
                verb = f"{users} {image.id[7:19]}"
                if by_id:
                    verb = "image is being used by running container"
                text = f"{verb} {identifier[:12]}" if by_id else verb
                raise Conflict(f"conflict: {what} ({how}) - {text}")
            if not force:
                if by_id:
                    raise Conflict(
                        f"conflict: {what} (must be forced) - image is being used by stopped "
                        f"container {identifier[:12]}"
                    )
                raise Conflict(
                    f"conflict: {what} (must force) - container {identifier[:12]} is using its "
                    f"referenced image {image.id[7:19]}"
                )

    def _untag(self, image: Image, reference: Reference) -> Removed:
        self._catalog.untag(reference)
        self._events.publish("image", "untag", image.id, {"name": image.id})
        return Removed(untagged=reference.familiar())

    async def _delete(self, image: Image) -> list[Removed]:
        unused = self._catalog.remove(image.id)
        for chain in reversed(unused):
            await self._pools.run("disk", self._snapshots.remove_layer, chain)
        used = {item for other in self._catalog.images() for item in other.config.rootfs.diff_ids}
        for diff_id in image.config.rootfs.diff_ids:
            if diff_id not in used:
                await self._pools.run("disk", self._archives.remove, diff_id)
        self._events.publish("image", "delete", image.id, {"name": image.id})
        layers = [Removed(deleted=chain) for chain in reversed(unused)]
        return [Removed(deleted=image.id), *layers]
