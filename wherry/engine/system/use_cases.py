"""All that concerns the whole engine, in one value for the API."""

from dataclasses import dataclass

from wherry.engine.system.disk_usage import DiskUsage
from wherry.engine.system.event_bus import EventBus
from wherry.engine.system.info import Info
from wherry.engine.system.version import Version


@dataclass(frozen=True)
class SystemUseCases:
    """The use cases of the engine as a whole."""

    info: Info
    version: Version
    disk_usage: DiskUsage
    events: EventBus
