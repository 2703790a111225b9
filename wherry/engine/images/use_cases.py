"""All that can be done with images, in one value for the API."""

from dataclasses import dataclass

from wherry.engine.images.commit import CommitContainer
from wherry.engine.images.distribution import InspectDistribution
from wherry.engine.images.inspect import InspectImage
from wherry.engine.images.list import ListImages
from wherry.engine.images.login import LogIn
from wherry.engine.images.prune import PruneImages
from wherry.engine.images.pull import PullForClient
from wherry.engine.images.push import PushForClient
from wherry.engine.images.remove import RemoveImage
from wherry.engine.images.save import SendImages
from wherry.engine.images.search import SearchImages
from wherry.engine.images.tag import TagImage
from wherry.engine.images.take_in import TakeIn
from wherry.engine.pools import Pools
from wherry.images.attestations import Attestations
from wherry.images.catalog import ImageCatalog


@dataclass(frozen=True)
class ImageUseCases:
    """The use cases of images."""

    catalog: ImageCatalog
    list: ListImages
    inspect: InspectImage
    take_in: TakeIn
    remove: RemoveImage
    prune: PruneImages
    commit: CommitContainer
    save: SendImages
    pull: PullForClient
    push: PushForClient
    search: SearchImages
    distribution: InspectDistribution
    log_in: LogIn
    attestations: Attestations
    tag: TagImage
    pools: Pools
