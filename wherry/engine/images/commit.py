"""Committing a container, paused meanwhile unless told otherwise."""

import contextlib
from collections.abc import Sequence

import msgspec

from wherry.base import crash_points
from wherry.base.errors import WherryError
from wherry.engine.containers.container import Container
from wherry.engine.containers.merge import merge_config
from wherry.engine.containers.stop import ContainerSignals
from wherry.engine.images.told import tell
from wherry.engine.pools import Pools
from wherry.engine.system.event_bus import EventBus
from wherry.images.catalog import ImageCatalog
from wherry.images.commit import CommitImage
from wherry.model.docker.container import ContainerConfig, words
from wherry.model.image import Image
from wherry.model.image_config import ImageConfig, RuntimeConfig
from wherry.model.reference import Reference


class CommitContainer:
    """Makes an image of a container's configuration and of what it changed."""

    def __init__(
        self, catalog: ImageCatalog, commit: CommitImage,
        signals: ContainerSignals, pools: Pools, events: EventBus,
    ) -> None:  # fmt: skip
        self._catalog = catalog
        self._commit = commit
        self._signals = signals
        self._pools = pools
        self._events = events

    async def __call__(
        self, container: Container, *, reference: Reference | None, changes: Sequence[str],
        author: str, comment: str, pause: bool, override: ContainerConfig | None,
    ) -> Image:  # fmt: skip
        """The new image; raises NoSuchImage if the container's own is gone, InvalidParameter.

        What `override` leaves out is as the container has it.
        """
        base = self._catalog.get(container.record.image_id)
        config = runtime_config(container.record.config)
        if override:
            config = runtime_config(merge_config(override, ImageConfig(config=config)))
        freeze = pause and container.state.status == "running"
        if freeze:
            await self._signals.pause(container, for_commit=True)
            crash_points.reach("commit.paused")
        try:
            image = await self._pools.run(
                "pull", self._commit, container.id, base, config,
                reference=reference, changes=changes, author=author, comment=comment,
                command=" ".join([container.record.path, *container.record.args]),
            )  # fmt: skip
        finally:
            if freeze:
                # It may have been unpaused, or have ended, meanwhile.
                with contextlib.suppress(WherryError):
                    await self._signals.unpause(container)
        attributes = {**container.attributes(), "comment": comment, "imageID": image.id}
        tell(self._events, "create", image)
        if reference:
            attributes["imageRef"] = reference.familiar()
            self._events.publish("image", "tag", image.id, {"name": reference.familiar()})
        self._events.publish("container", "commit", container.id, attributes)
        return image


def runtime_config(config: ContainerConfig) -> RuntimeConfig:
    """The part of a container's configuration that an image keeps."""
    fields = RuntimeConfig.__struct_fields__
    shared = {name: getattr(config, name) for name in fields if name not in ("cmd", "entrypoint")}
    return msgspec.structs.replace(
        RuntimeConfig(**shared),
        cmd=words(config.cmd) or None,
        entrypoint=words(config.entrypoint) or None,
    )
