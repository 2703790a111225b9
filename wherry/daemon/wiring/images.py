"""Images: the catalog, what lies on disk for it, and the ways in and out."""

from dataclasses import dataclass

from wherry.daemon.wiring.foundation import Foundation
from wherry.engine.containers.stop import ContainerSignals
from wherry.engine.images.commit import CommitContainer
from wherry.engine.images.describe import DescribeImages
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
from wherry.engine.images.use_cases import ImageUseCases
from wherry.images.attestations import Attestations
from wherry.images.catalog import ImageCatalog
from wherry.images.commit import CommitImage
from wherry.images.downloads import Downloads
from wherry.images.importing import ImportImage
from wherry.images.layers import ImageLayers
from wherry.images.load import LoadImages
from wherry.images.packing import Packer
from wherry.images.pull import PullImage
from wherry.images.push import PushImage
from wherry.images.save import SaveImages
from wherry.images.unpack import LayerUnpacker
from wherry.images.uploads import Uploads
from wherry.store.content.blobs import SmallBlobs
from wherry.store.content.layers import LayerArchives


@dataclass(frozen=True)
class Images:
    """The parts that others use."""

    catalog: ImageCatalog
    archives: LayerArchives
    layers: ImageLayers
    attestations: Attestations


def build_images(base: Foundation) -> Images:
    """Reads the catalog from the records."""
    root = base.config.data_root
    catalog, archives = ImageCatalog(base.database), LayerArchives(root / "archives")
    return Images(
        catalog=catalog,
        archives=archives,
        layers=ImageLayers(catalog, base.snapshots, archives),
        attestations=Attestations(catalog, SmallBlobs(root / "attestations")),
    )


def image_use_cases(base: Foundation, images: Images, signals: ContainerSignals) -> ImageUseCases:
    """What the API may do with images; a commit holds its container still by `signals`."""
    scratch, registries = str(base.scratch), base.settings.registries
    catalog, layers, archives = images.catalog, images.layers, images.archives
    pools, events, attestations = base.pools, base.events, images.attestations
    downloads = Downloads(base.config.data_root / "partial", registries)
    unpacker = LayerUnpacker(base.snapshots, archives, base.supervisor)
    packer = Packer(archives, scratch)
    describe = DescribeImages(catalog, packer, archives, base.snapshots, base.index, attestations)
    remove = RemoveImage(catalog, layers, base.index, pools, events, attestations)
    commit = CommitImage(catalog, base.snapshots, unpacker, layers, base.supervisor, scratch)
    pull = PullImage(catalog, unpacker, layers, archives, downloads, registries, attestations)
    push = PushImage(catalog, packer, Uploads(archives, base.database), attestations, registries)
    load = LoadImages(catalog, unpacker, layers, scratch, attestations)
    save = SaveImages(catalog, packer, archives, scratch, attestations)
    return ImageUseCases(
        catalog=catalog,
        list=ListImages(catalog, describe, base.index, pools),
        inspect=InspectImage(catalog, describe, pools, base.snapshots.name),
        take_in=TakeIn(
            load, ImportImage(catalog, unpacker, layers), base.scratch, registries, pools, events
        ),
        remove=remove,
        prune=PruneImages(catalog, remove, layers, downloads, pools, events),
        commit=CommitContainer(catalog, commit, signals, pools, events),
        save=SendImages(catalog, save, base.scratch, pools, events),
        pull=PullForClient(pull, pools, events),
        push=PushForClient(push, pools, events),
        search=SearchImages(pools, registries),
        distribution=InspectDistribution(pools, registries),
        log_in=LogIn(pools, registries),
        attestations=attestations,
        tag=TagImage(catalog, pools, events),
        pools=pools,
    )
