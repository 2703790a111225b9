"""All that can be done with volumes, in one value for the API."""

from dataclasses import dataclass

from wherry.engine.volumes.create import CreateVolume
from wherry.engine.volumes.inspect import InspectVolume
from wherry.engine.volumes.list import ListVolumes
from wherry.engine.volumes.prune import PruneVolumes
from wherry.engine.volumes.remove import RemoveVolume
from wherry.engine.volumes.transfer import CloneVolume, ExportVolume, ImportVolume


@dataclass(frozen=True)
class VolumeUseCases:
    """The use cases of volumes."""

    list: ListVolumes
    inspect: InspectVolume
    create: CreateVolume
    remove: RemoveVolume
    prune: PruneVolumes
    export: ExportVolume
    fill: ImportVolume
    clone: CloneVolume
