"""What can be read from and written to containers, in one value for the API."""

from dataclasses import dataclass

from wherry.engine.containers.archive import ContainerFiles, ExportContainer
from wherry.engine.containers.attach import AttachContainer
from wherry.engine.containers.changes import ContainerChanges
from wherry.engine.containers.logs import ContainerLogs
from wherry.engine.containers.resize import ResizeContainer
from wherry.engine.containers.stats import ReadStats
from wherry.engine.containers.top import ContainerTop


@dataclass(frozen=True)
class StreamUseCases:
    """The use cases of containers' streams and files."""

    attach: AttachContainer
    logs: ContainerLogs
    resize: ResizeContainer
    top: ContainerTop
    stats: ReadStats
    files: ContainerFiles
    export: ExportContainer
    changes: ContainerChanges
