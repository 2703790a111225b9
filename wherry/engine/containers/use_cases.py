"""All that can be done with containers, in one value for the API."""

from dataclasses import dataclass

from wherry.engine.containers.change_mounts import ChangeMounts
from wherry.engine.containers.change_ports import ChangePorts
from wherry.engine.containers.create import CreateContainer
from wherry.engine.containers.index import ContainerIndex
from wherry.engine.containers.inspect import InspectContainer
from wherry.engine.containers.list import ListContainers
from wherry.engine.containers.prune import PruneContainers
from wherry.engine.containers.remove import RemoveContainer, RenameContainer
from wherry.engine.containers.start import StartContainer
from wherry.engine.containers.stop import ContainerSignals
from wherry.engine.containers.unlink import RemoveLink
from wherry.engine.containers.update import UpdateContainer


@dataclass(frozen=True)
class ContainerUseCases:
    """The use cases of containers."""

    index: ContainerIndex
    create: CreateContainer
    start: StartContainer
    signals: ContainerSignals
    remove: RemoveContainer
    unlink: RemoveLink
    rename: RenameContainer
    list: ListContainers
    inspect: InspectContainer
    update: UpdateContainer
    change_mounts: ChangeMounts
    change_ports: ChangePorts
    prune: PruneContainers
