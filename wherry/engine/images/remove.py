"""Removing images: a name, or the image with its layers when nothing holds it."""

from collections.abc import Sequence

from wherry.base import crash_points
from wherry.engine.containers.container import Container
from wherry.engine.containers.index import ContainerIndex
from wherry.engine.images.told import tell
from wherry.engine.pools import Pools
from wherry.engine.system.event_bus import EventBus
from wherry.images.attestations import Attestations
from wherry.images.catalog import ImageCatalog, is_id
from wherry.images.errors import ImageInUse
from wherry.images.layers import ImageLayers
from wherry.model.docker.image import DeleteRow
from wherry.model.image import Image
from wherry.model.reference import Reference


class RemoveImage:
    """Untags and deletes by dockerd's rules (daemon/images/image_delete.go)."""

    def __init__(
        self, catalog: ImageCatalog, layers: ImageLayers, index: ContainerIndex, pools: Pools,
        events: EventBus, attestations: Attestations,
    ) -> None:  # fmt: skip
        self._attestations = attestations
        self._catalog = catalog
        self._layers = layers
        self._index = index
        self._pools = pools
        self._events = events

    async def __call__(
        self, name: str, *, force: bool = False, prune: bool = True, platforms: Sequence[str] = ()
    ) -> list[DeleteRow]:
        """Removes a name, or an image by its id; with `prune` its forgotten parents, too.

        With `platforms` the name stays, and those of its images go. Raises NoSuchImage,
        NoSuchPlatform, and ImageInUse in Docker's words.
        """
        return (await self.measured(name, force=force, prune=prune, platforms=platforms))[0]

    async def measured(
        self, name: str, *, force: bool = False, prune: bool = True, platforms: Sequence[str] = ()
    ) -> tuple[list[DeleteRow], int]:
        """As a call, with the bytes that were given back."""
        removal = _Removal(self._catalog, self._layers, self._index)
        try:
            if platforms:
                await self._pools.run("disk", removal.platforms, name, platforms, force)
            else:
                await self._pools.run("disk", removal.name, name, force, prune)
            removal.freed += await self._pools.run("disk", self._attestations.drop_unneeded)
        finally:
            for action, image in removal.done:
                tell(self._events, action, image)
        return removal.rows, removal.freed


class _Removal:
    """One request; blocking."""

    def __init__(self, catalog: ImageCatalog, layers: ImageLayers, index: ContainerIndex) -> None:
        self._catalog = catalog
        self._layers = layers
        self._index = index
        self.done: list[tuple[str, Image]] = []
        self.rows: list[DeleteRow] = []
        self.freed = 0

    def name(self, name: str, force: bool, prune: bool) -> None:
        """By a reference, or by an id."""
        image = self._catalog.get(name)
        others = [variant.image for variant in self._catalog.variants(name) if variant.image]
        if is_id(name, image):
            if _single(image):
                self._refuse(image, hard_only=force, names=False)
                self._untag_all(image)
            self._delete(self._now(image), force=force, prune=prune)
        else:
            self._by_reference(image, name, force=force, prune=prune)
        for other in others:
            # Images of other platforms go with the last name of their index.
            if (
                self._catalog.has(other.id)
                and self._now(other).dangling
                and (other.id != image.id and not self._users(other))
            ):
                self._untag_all(other)
                self._forget(other)

    def platforms(self, name: str, wanted: Sequence[str], force: bool) -> None:
        """Only the images for these platforms; the name means another of its images then."""
        chosen = [self._catalog.get_for(name, platform) for platform in wanted]
        for image in chosen:
            self._refuse(image, hard_only=force, names=False)
            rest = [variant.image for variant in self._catalog.variants(name)
                    if variant.image and variant.image.id != image.id]  # fmt: skip
            if not rest:
                self.name(image.id, force, False)
                continue
            for reference in image.references:
                self._catalog.tag(rest[0].id, reference, keep_index=True)
            self._forget(self._catalog.get(image.id))

    def _by_reference(self, image: Image, name: str, *, force: bool, prune: bool) -> None:
        users = self._users(image)
        if users and _single(image) and not force:
            raise ImageInUse(
                f'conflict: unable to remove repository reference "{name}" (must force) - '
                f"container {users[0].id[:12]} is using its referenced image {image.id[7:19]}"
            )
        reference = Reference.parse(name)
        if reference.digest:
            self._drop_digests(image, reference.familiar_name, reference.digest)
        else:
            self._untag(image, reference)
            if all(item.name != reference.name for item in self._now(image).references):
                self._drop_digests(image, reference.familiar_name)
        left = self._now(image)
        if not left.references and not left.repo_digests and not left.held:
            self._delete(left, force=force, prune=prune, quiet=True)

    def _delete(self, image: Image, *, force: bool, prune: bool, quiet: bool = False) -> None:
        try:
            self._refuse(image, hard_only=force)
        except ImageInUse:
            dangling = image.dangling and not self._catalog.children(image.id)
            if quiet and (not dangling or self._users(image)):
                return
            raise
        self._untag_all(image)
        self._forget(image)
        if prune and image.parent and self._catalog.has(image.parent):
            self._delete(self._catalog.get(image.parent), force=False, prune=True, quiet=True)

    def _forget(self, image: Image) -> None:
        self._catalog.remove(image.id)
        crash_points.reach("image.forgotten")
        dropped = self._layers.drop(image)
        crash_points.reach("image.layers")
        self.freed += dropped.size
        self.done.append(("delete", image))
        self.rows.append(DeleteRow(deleted=image.id))
        self.rows += [DeleteRow(deleted=chain) for chain in dropped.chain]

    def _refuse(self, image: Image, *, hard_only: bool, names: bool = True) -> None:
        """Raises ImageInUse; force overcomes names and stopped containers only."""
        running = [item for item in self._users(image) if item.state.running]
        stopped = [item for item in self._users(image) if not item.state.running]
        reason = ""
        hard = True
        if self._catalog.children(image.id):
            reason = "image has dependent child images"
        elif running:
            reason = f"image is being used by running container {running[0].id[:12]}"
        elif not hard_only:
            hard = False
            if names and (image.references or image.repo_digests):
                reason = "image is referenced in multiple repositories"
            elif stopped:
                reason = f"image is being used by stopped container {stopped[0].id[:12]}"
        if reason:
            how = "cannot be forced" if hard else "must be forced"
            raise ImageInUse(f"conflict: unable to delete {image.id[7:19]} ({how}) - {reason}")

    def _users(self, image: Image) -> list[Container]:
        return [item for item in self._index.all() if item.uses_image(image.id)]

    def _now(self, image: Image) -> Image:
        return self._catalog.get(image.id)

    def _untag_all(self, image: Image) -> None:
        for reference in image.references:
            self._untag(image, reference)
        for repository in dict.fromkeys(name.partition("@")[0] for name in image.repo_digests):
            self._drop_digests(image, repository)

    def _untag(self, image: Image, reference: Reference) -> None:
        self._catalog.untag(reference)
        self.done.append(("untag", image))
        self.rows.append(DeleteRow(untagged=reference.familiar()))

    def _drop_digests(self, image: Image, repository: str, digest: str = "") -> None:
        for name in self._catalog.drop_digests(image.id, repository, digest):
            self.done.append(("untag", image))
            self.rows.append(DeleteRow(untagged=name))


def _single(image: Image) -> bool:
    """Whether at most one tag names the image, and digests in the same repository."""
    if len(image.references) > 1:
        return False
    repositories = {name.partition("@")[0] for name in image.repo_digests}
    repositories |= {item.familiar_name for item in image.references}
    return len(repositories) == 1
