"""What everything else is built on: records, pools, events, the supervisor, settings."""

import hashlib
import logging
from dataclasses import dataclass
from pathlib import Path

from wherry.daemon.config import Config
from wherry.daemon.groups import Groups, choose_groups
from wherry.daemon.settings import Settings
from wherry.daemon.wiring.tasks import TASKS
from wherry.engine.containers.index import ContainerIndex
from wherry.engine.pools import Pools
from wherry.engine.secrets.state import SecretState
from wherry.engine.system.event_bus import EventBus
from wherry.engine.volumes.state import VolumeState
from wherry.linux.cgroup.layout import CgroupLayout
from wherry.store.records.database import Database
from wherry.store.secrets.vault import Vault
from wherry.store.snapshot.driver import Snapshots, open_snapshots
from wherry.store.volume.directory import VolumeDirectories
from wherry.supervisor.client import Supervisor

logger = logging.getLogger("wherry.daemon")

_DEFAULT_ROOT = Path("/var/lib/wherry")


@dataclass(frozen=True)
class Foundation:
    """One daemon's own things, shared by all of its parts."""

    config: Config
    instance: str
    snapshots: Snapshots
    storage_warning: str
    database: Database
    pools: Pools
    events: EventBus
    groups: Groups
    supervisor: Supervisor
    settings: Settings
    index: ContainerIndex
    volumes: VolumeState
    secrets: SecretState

    @property
    def scratch(self) -> Path:
        """Where half-made things are, emptied at every start."""
        return self.config.data_root / "tmp"


def lay_foundation(config: Config) -> Foundation:
    """Builds what needs no other process and no kernel object."""
    # First: looking for what the kernel can may fork, which threads would not survive.
    snapshots, warning = open_snapshots(config.data_root, config.storage_driver)
    if warning:
        logger.warning("%s", warning)
    instance = instance_name(config.data_root)
    database, pools, events = Database(config.data_root / "records.db"), Pools(), EventBus()
    groups = choose_groups(config, instance, CgroupLayout.detect())
    volumes = VolumeDirectories(config.data_root / "volumes")
    vault = Vault(config.secrets_key_file or config.data_root / "secrets.key")
    return Foundation(
        config=config,
        instance=instance,
        snapshots=snapshots,
        storage_warning=warning,
        database=database,
        pools=pools,
        events=events,
        groups=groups,
        supervisor=Supervisor(config.exec_root, tasks=TASKS, cgroup=groups.monitors),
        settings=Settings(config, groups, instance, snapshots.name),
        index=ContainerIndex(database),
        volumes=VolumeState(volumes, database, pools, events),
        secrets=SecretState(vault, database, pools, events),
    )


def instance_name(data_root: Path) -> str:
    """What tells this daemon's cgroups, links and tables from those of others on the host."""
    if data_root == _DEFAULT_ROOT:
        return "wherry"
    return f"wherry-{hashlib.sha256(str(data_root.resolve()).encode()).hexdigest()[:6]}"
