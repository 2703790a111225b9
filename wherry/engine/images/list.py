"""Listing images, with Docker's filters."""

import re
from collections import Counter
from collections.abc import Sequence

import msgspec

from wherry.base.clock import now_ns, parse_rfc3339
from wherry.base.errors import InvalidParameter
from wherry.engine.containers.index import ContainerIndex
from wherry.engine.filters import Filters, check_filters, flag, matches_labels, parse_moment
from wherry.engine.images.describe import DescribeImages
from wherry.engine.images.patterns import compile_pattern
from wherry.engine.pools import Pools
from wherry.images.catalog import ImageCatalog
from wherry.model.docker.image import UNSET, ImageSummary
from wherry.model.image import Image
from wherry.model.reference import Reference

FILTERS = frozenset({"dangling", "label", "before", "since", "reference", "until"})


class ListImages:
    """Rows of `docker images`, from memory unless sizes of layers are asked for."""

    def __init__(
        self, catalog: ImageCatalog, describe: DescribeImages, index: ContainerIndex, pools: Pools
    ) -> None:
        self._catalog = catalog
        self._describe = describe
        self._index = index
        self._pools = pools

    async def __call__(
        self, filters: Filters, *, all_images: bool = False, shared_size: bool = False,
        manifests: bool = False, identity: bool = False,
    ) -> list[ImageSummary]:  # fmt: skip
        """Newest first; raises InvalidParameter, and NoSuchImage for one that a filter names."""
        if identity and not manifests:
            raise InvalidParameter("conflicting options: identity requires manifests=1")
        check_filters(filters, FILTERS)
        chosen = self._choose(filters, all_images=all_images)
        users = Counter(item.record.image_id for item in self._index.all())
        rows = [
            ImageSummary(
                id=image.id, parent_id=image.parent, repo_tags=tags, repo_digests=digests,
                created=created_ns(image) // 10**9, size=image.size, labels=image.labels,
                containers=users[image.id], descriptor=self._describe.descriptor(image) or UNSET,
            )
            for image, tags, digests in chosen
        ]  # fmt: skip
        images = [image for image, _, _ in chosen]
        if shared_size:
            shared = await self._pools.run("disk", self._describe.shared_sizes, images)
            rows = [msgspec.structs.replace(row, shared_size=shared[row.id]) for row in rows]
        if manifests:
            found = await self._pools.run(
                "disk",
                lambda: [self._describe.manifests(image, identity=identity) for image in images],
            )
            rows = [
                msgspec.structs.replace(row, manifests=item)
                for row, item in zip(rows, found, strict=True)
            ]
        return rows

    def _choose(
        self, filters: Filters, *, all_images: bool
    ) -> list[tuple[Image, list[str], list[str]]]:
        dangling = flag(filters, "dangling")
        before, since = self._bounds(filters)
        patterns = [compile_pattern(text) for text in filters.get("reference", ())]
        chosen = []
        parents = self._catalog.parents()
        for image in self._catalog.images():
            made = created_ns(image)
            if before is not None and not (made and made < before):
                continue
            if since is not None and not made > since:
                continue
            if not matches_labels(image.labels, filters.get("label", ())):
                continue
            tags = [item.familiar() for item in image.references if _named(item, patterns)]
            digests = [name for name in image.repo_digests
                       if _named(Reference.parse_bare(name), patterns)]  # fmt: skip
            if dangling and (image.references or image.id in parents or image.held):
                continue
            if not tags and not digests:
                if patterns or dangling is False:
                    continue
                if not all_images and (image.id in parents or image.held):
                    continue
            elif image.held and not image.references and not all_images:
                continue  # its index has a row already
            chosen.append((image, tags, digests))
        return chosen

    def _bounds(self, filters: Filters) -> tuple[int | None, int | None]:
        """The oldest moment before which, and the newest after which, images are wanted."""
        before = [created_ns(self._catalog.get(name)) for name in filters.get("before", ())]
        for text in filters.get("until", ()):
            try:
                before.append(parse_moment(text, now_ns()))
            except InvalidParameter as error:
                raise InvalidParameter(
                    f"invalid value for 'until' filter: {error.message}"
                ) from None
        since = [created_ns(self._catalog.get(name)) for name in filters.get("since", ())]
        return min(before, default=None), max(since, default=None)


def created_ns(image: Image) -> int:
    """When an image was made, in nanoseconds since the epoch; 0 if it does not say."""
    return parse_rfc3339(image.config.created) if image.config.created else 0


def _named(reference: Reference, patterns: Sequence[re.Pattern[str]]) -> bool:
    names = (reference.familiar(), reference.familiar_name, str(reference), reference.name)
    return not patterns or any(item.fullmatch(name) for item in patterns for name in names)
