"""All that can be done with containers, in one value for the API."""

from dataclasses import dataclass

from wherry.engine.containers.create import CreateContainer
from wherry.engine.containers.index import ContainerIndex
from wherry.engine.containers.remove import RemoveContainer, RenameContainer
from wherry.engine.containers.start import StartContainer
from wherry.engine.containers.stop import ContainerSignals


@dataclass(frozen=True)
class ContainerUseCases:
    """The use cases of containers."""

    index: ContainerIndex
    create: CreateContainer
    start: StartContainer
    signals: ContainerSignals
    remove: RemoveContainer
    rename: RenameContainer
