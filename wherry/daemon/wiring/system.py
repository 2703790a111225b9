"""What tells about the engine as a whole; and volumes, which need little wiring."""

from collections import Counter

from wherry.daemon.wiring.containers import Containers
from wherry.daemon.wiring.foundation import Foundation
from wherry.daemon.wiring.images import Images
from wherry.daemon.wiring.networks import Networks
from wherry.engine.system.data_root import DataRoot, Known
from wherry.engine.system.disk_usage import DiskUsage
from wherry.engine.system.host import read_host
from wherry.engine.system.image_usage import ImageUsage
from wherry.engine.system.info import Counts, Info
from wherry.engine.system.kept_sizes import KeptSizes
from wherry.engine.system.use_cases import SystemUseCases
from wherry.engine.system.version import Version
from wherry.engine.volumes.create import CreateVolume
from wherry.engine.volumes.inspect import InspectVolume
from wherry.engine.volumes.list import ListVolumes
from wherry.engine.volumes.prune import PruneVolumes
from wherry.engine.volumes.remove import RemoveVolume
from wherry.engine.volumes.transfer import CloneVolume, ExportVolume, ImportVolume
from wherry.engine.volumes.use_cases import VolumeUseCases


class Overview:
    """Counts over all parts, for `info`, metrics and the account of the disk."""

    def __init__(self, base: Foundation, images: Images, networks: Networks) -> None:
        self._base = base
        self._images = images
        self._networks = networks

    def counts(self) -> Counts:
        """Containers by status, and images."""
        states = [item.state.status for item in self._base.index.all()]
        running = sum(status in ("running", "restarting") for status in states)
        paused = states.count("paused")
        stopped = len(states) - running - paused
        return Counts(running, paused, stopped, len(self._images.catalog.images()))

    def warnings(self) -> list[str]:
        """What the engine cannot do on this host, a line each."""
        own = [self._base.storage_warning] if self._base.storage_warning else []
        return own + list(self._networks.bridges.warnings)

    def known_on_disk(self) -> Known:
        """What belongs to something; all else below the data root is an orphan."""
        images = self._images.catalog.images()
        snapshots = self._base.snapshots
        return Known(
            containers=frozenset(item.id for item in self._base.index.all()),
            volumes=frozenset(record.name for record in self._base.volumes.records()),
            layers=frozenset(self._images.catalog.used_layers() | snapshots.used_layers()),
            archives=frozenset(name for image in images for name in image.config.rootfs.diff_ids),
        )

    def image_users(self) -> Counter[str]:
        """How many containers each image has."""
        return Counter(item.record.image_id for item in self._base.index.all())


def system_use_cases(
    base: Foundation, images: Images, containers: Containers, overview: Overview
) -> SystemUseCases:
    """`info`, `version`, `df` and events."""
    facts, host, pools = base.settings.engine, read_host(), base.pools
    sizes = KeptSizes(pools)
    data_root = DataRoot(
        base.config.data_root, base.snapshots.name, sizes, pools, overview.known_on_disk
    )
    return SystemUseCases(
        Info(facts, host, base.events, overview.counts, overview.warnings),
        Version(facts, host),
        DiskUsage(
            base.volumes, ImageUsage(images.catalog, base.snapshots, overview.image_users),
            containers.use_cases.list.measured, data_root, sizes, pools,
        ),
        base.events,
    )  # fmt: skip


def volume_use_cases(base: Foundation) -> VolumeUseCases:
    """What the API may do with volumes."""
    state, supervisor, pools = base.volumes, base.supervisor, base.pools
    return VolumeUseCases(
        list=ListVolumes(state), inspect=InspectVolume(state), create=CreateVolume(state),
        remove=RemoveVolume(state), prune=PruneVolumes(state),
        export=ExportVolume(state, supervisor, pools),
        fill=ImportVolume(state, supervisor, pools),
        clone=CloneVolume(state, supervisor, pools),
    )  # fmt: skip
