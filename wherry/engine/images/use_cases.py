"""All that can be done with images, in one value for the API."""

from dataclasses import dataclass

from wherry.engine.images.commit import CommitContainer
from wherry.engine.images.pull import PullForClient
from wherry.engine.images.remove import RemoveImage
from wherry.engine.images.save import SendImages
from wherry.engine.images.take_in import TakeIn
from wherry.engine.pools import Pools
from wherry.engine.system.event_bus import EventBus
from wherry.images.catalog import ImageCatalog


@dataclass(frozen=True)
class ImageUseCases:
    """The use cases of images."""

    catalog: ImageCatalog
    take_in: TakeIn
    remove: RemoveImage
    commit: CommitContainer
    save: SendImages
    pull: PullForClient
    storage_driver: str
    pools: Pools
    events: EventBus
