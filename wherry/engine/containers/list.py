"""Listing containers: filters and order as dockerd has them, answered from memory."""

import re
from collections.abc import Sequence
from functools import partial

from wherry.base.errors import InvalidParameter, NotFound
from wherry.engine.containers.container import Container
from wherry.engine.containers.index import ContainerIndex
from wherry.engine.containers.summary import newest_first, port_summaries, summarize
from wherry.engine.filters import Filters, check_filters, flag, matches_labels
from wherry.engine.pools import Pools
from wherry.engine.system.kept_sizes import KeptSizes, Wanted
from wherry.images.catalog import ImageCatalog
from wherry.model.docker.container_summary import ContainerSummary
from wherry.store.snapshot.driver import Snapshots

FILTERS = frozenset({
    "ancestor", "before", "exited", "expose", "health", "id", "isolation", "is-task", "label",
    "name", "network", "publish", "since", "status", "volume",
})  # fmt: skip
_STATUSES = ("created", "dead", "exited", "paused", "removing", "restarting", "running")
_HEALTH = ("none", "starting", "healthy", "unhealthy")


class ListContainers:
    """Answers `docker ps`."""

    def __init__(
        self, index: ContainerIndex, images: ImageCatalog, snapshots: Snapshots, pools: Pools
    ) -> None:
        self._index = index
        self._images = images
        self._snapshots = snapshots
        self._pools = pools

    async def __call__(
        self, filters: Filters, *, everything: bool = False, limit: int = 0, size: bool = False
    ) -> list[ContainerSummary]:
        """The containers that pass, newest first; raises InvalidParameter, NoSuchContainer."""
        found = self.select(filters, everything=everything, limit=limit)
        return [await self._summary(container, size) for container in found]

    async def measured(self, sizes: KeptSizes) -> list[ContainerSummary]:
        """Every container with the sizes that are kept of it, for `docker system df`."""
        containers = newest_first(self._index.all())
        owns = await sizes.of_all([
            Wanted(f"container {item.id}", partial(self._snapshots.usage, item.id))
            for item in containers
        ])  # fmt: skip
        return [
            summarize(item, self._image_name(item),
                      (own, own + self._images.size_of(item.record.image_id)))
            for item, own in zip(containers, owns, strict=True)
        ]  # fmt: skip

    def select(
        self, filters: Filters, *, everything: bool = False, limit: int = 0
    ) -> list[Container]:
        """The containers that pass, newest first."""
        _check(filters)
        everything = everything or limit > 0 or bool(filters.get("status"))
        found: list[Container] = []
        for container in self._window(filters):
            if not everything and not container.state.running:
                continue
            if self._passes(container, filters):
                found.append(container)
        return found[:limit] if limit > 0 else found

    def _window(self, filters: Filters) -> list[Container]:
        """Those created before and since the containers that filters name."""
        found = newest_first(self._index.all())
        for reference in filters.get("before", ()):
            found = found[found.index(self._index.get(reference)) + 1 :]
        for reference in filters.get("since", ()):
            named = self._index.get(reference)
            found = found[: found.index(named)] if named in found else found
        return found

    def _passes(self, container: Container, filters: Filters) -> bool:
        record, state = container.record, container.state
        health = container.health.status if container.health else "none"
        exits = [int(code) for code in filters.get("exited", ())]
        return (
            _matches(filters.get("name", ()), record.name, f"/{record.name}")
            and _matches(filters.get("id", ()), record.id)
            and matches_labels(record.config.labels, filters.get("label", ()))
            and _is_one_of(filters.get("status", ()), state.status)
            and _is_one_of(filters.get("health", ()), health)
            and (not exits or (not state.running and container.has_run
                               and state.exit_code in exits))
            and _mounts(container, filters.get("volume", ()))
            and self._networked(container, filters.get("network", ()))
            and self._descends(container, filters.get("ancestor", ()))
            and _published(container, filters.get("publish", ()), public=True)
            and _published(container, filters.get("expose", ()), public=False)
            and flag(filters, "is-task") is not True
        )  # fmt: skip

    def _networked(self, container: Container, wanted: Sequence[str]) -> bool:
        if not wanted:
            return True
        record = container.record
        names = set(record.networks) | {item.network for item in record.endpoints}
        return any(value in names for value in wanted)

    def _descends(self, container: Container, wanted: Sequence[str]) -> bool:
        if not wanted:
            return True
        for name in wanted:
            try:
                ancestor = self._images.get(name)
            except NotFound:
                continue
            if container.record.image_id == ancestor.id:
                return True
            if self._is_child(container.record.image_id, ancestor.id):
                return True
        return False

    def _is_child(self, identifier: str, ancestor: str) -> bool:
        while identifier:
            try:
                identifier = self._images.get(identifier).parent
            except NotFound:
                return False
            if identifier == ancestor:
                return True
        return False

    async def _summary(self, container: Container, size: bool) -> ContainerSummary:
        sizes = None
        if size:
            own = await self._pools.run("disk", self._snapshots.usage, container.id)
            sizes = (own, own + self._images.size_of(container.record.image_id))
        return summarize(container, self._image_name(container), sizes)

    def _image_name(self, container: Container) -> str:
        """The name it was made from, or the image's id if that name now means another."""
        record = container.record
        try:
            same = self._images.id_of(record.image) == record.image_id
        except NotFound:
            same = False
        return record.image if same else record.image_id


def _check(filters: Filters) -> None:
    check_filters(filters, FILTERS)
    for key, allowed in (("status", _STATUSES), ("health", _HEALTH)):
        for value in filters.get(key, ()):
            if value not in allowed:
                raise InvalidParameter(f"invalid filter '{key}={value}'")
    for value in filters.get("exited", ()):
        if not value.lstrip("-").isdecimal():
            raise InvalidParameter(f"invalid filter 'exited={value}'")
    flag(filters, "is-task")


def _matches(wanted: Sequence[str], *names: str) -> bool:
    """Whether a name equals one of the values, or one as a regular expression is found in it."""
    if not wanted:
        return True
    for value in wanted:
        try:
            if any(value == name or re.search(value, name) for name in names):
                return True
        except re.error:
            continue
    return False


def _is_one_of(wanted: Sequence[str], value: str) -> bool:
    return not wanted or value in wanted


def _mounts(container: Container, wanted: Sequence[str]) -> bool:
    if not wanted:
        return True
    points = container.record.mounts
    places = {item.target for item in points} | {item.volume or item.source for item in points}
    return any(value in places for value in wanted)


def _published(container: Container, wanted: Sequence[str], *, public: bool) -> bool:
    if not wanted:
        return True
    ports = port_summaries(container.record)
    held = {(item.public_port if public else item.private_port, item.type) for item in ports}
    return any(held & _port_range(value) for value in wanted)


def _port_range(text: str) -> set[tuple[int, str]]:
    numbers, _, protocol = text.partition("/")
    first, _, last = numbers.partition("-")
    try:
        return {(port, protocol or "tcp") for port in range(int(first), int(last or first) + 1)}
    except ValueError:
        raise InvalidParameter(f"invalid port specification: {text}") from None
