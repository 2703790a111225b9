"""Containers: their life, what watches over it, and what clients may do with them."""

from dataclasses import dataclass
from pathlib import Path

from wherry.daemon.wiring.foundation import Foundation
from wherry.daemon.wiring.images import Images
from wherry.daemon.wiring.networks import Networks
from wherry.engine.containers.adopt import AdoptContainers, LeaveContainers
from wherry.engine.containers.archive import ContainerFiles, ExportContainer, FileViews
from wherry.engine.containers.attach import AttachContainer
from wherry.engine.containers.change_mounts import ChangeMounts
from wherry.engine.containers.change_ports import ChangePorts
from wherry.engine.containers.changes import ContainerChanges
from wherry.engine.containers.copy_up import CopyUp
from wherry.engine.containers.create import CreateContainer
from wherry.engine.containers.exits import ExitWatcher
from wherry.engine.containers.heal import HealContainer
from wherry.engine.containers.health import HealthChecks
from wherry.engine.containers.inspect import InspectContainer
from wherry.engine.containers.list import ListContainers
from wherry.engine.containers.live_network import LiveNetwork
from wherry.engine.containers.logs import ContainerLogs
from wherry.engine.containers.mounts import MountResolver
from wherry.engine.containers.name_service import NameService
from wherry.engine.containers.networking import ContainerNetwork
from wherry.engine.containers.prune import PruneContainers
from wherry.engine.containers.remove import RemoveContainer, RenameContainer
from wherry.engine.containers.resize import ResizeContainer
from wherry.engine.containers.start import StartContainer
from wherry.engine.containers.stats import ReadStats
from wherry.engine.containers.stop import ContainerSignals
from wherry.engine.containers.stream_use_cases import StreamUseCases
from wherry.engine.containers.top import ContainerTop
from wherry.engine.containers.unlink import RemoveLink
from wherry.engine.containers.update import UpdateContainer
from wherry.engine.containers.use_cases import ContainerUseCases
from wherry.engine.containers.user_namespaces import UserNamespaces, read_pool
from wherry.engine.execs.create import CreateExec
from wherry.engine.execs.inspect import InspectExec
from wherry.engine.execs.registry import ExecRegistry
from wherry.engine.execs.resize import ResizeExec
from wherry.engine.execs.start import StartExec
from wherry.engine.execs.use_cases import ExecUseCases


@dataclass(frozen=True)
class Containers:
    """The parts that others use."""

    names: NameService
    live_network: LiveNetwork
    health: HealthChecks
    adopt: AdoptContainers
    leave: LeaveContainers
    use_cases: ContainerUseCases


def build_containers(base: Foundation, images: Images, networks: Networks) -> Containers:
    """Everything that a container needs from its creation to its removal."""
    index, pools, events = base.index, base.pools, base.events
    defaults, attachments = base.settings.containers, networks.attachments
    config = base.config
    names = NameService(
        index, networks.state, base.supervisor, pools, defaults,
        ("debug" if config.debug else config.log_level, config.log_format),
    )  # fmt: skip
    network = ContainerNetwork(index, networks.state, attachments, pools, defaults, names)
    live_network = LiveNetwork(index, networks.state, attachments, network, base.supervisor, pools)
    watcher = ExitWatcher(index, network, base.volumes, pools, events, defaults)
    user_namespaces = UserNamespaces(
        index, read_pool(Path("/etc/subuid")), read_pool(Path("/etc/subgid"))
    )
    start = StartContainer(
        index, base.snapshots, network, base.volumes, base.supervisor, watcher, pools, events,
        defaults, user_namespaces, base.secrets,
    )  # fmt: skip
    signals = ContainerSignals(index, start, pools, events, defaults)
    remove = RemoveContainer(index, signals, base.snapshots, base.volumes, pools, events, defaults)
    mounts = MountResolver(base.volumes, index, images.catalog, base.secrets)
    create = CreateContainer(
        index, images.catalog, base.snapshots, mounts, base.volumes, pools, events, defaults,
        CopyUp(base.volumes, base.snapshots, base.supervisor, pools), user_namespaces,
        networks.state, images.layers, base.supervisor,
    )  # fmt: skip
    watcher.connect(start.again, remove.auto)
    health = HealthChecks(pools, events)
    watcher.observe(health.started, health.ended)
    health.observe(HealContainer(signals))
    return Containers(
        names=names,
        live_network=live_network,
        health=health,
        adopt=AdoptContainers(
            index, base.supervisor, base.snapshots, attachments, base.volumes, watcher, start,
            remove, pools, defaults, live_network,
        ),
        leave=LeaveContainers(index, watcher, pools, defaults),
        use_cases=ContainerUseCases(
            index=index, create=create, start=start, signals=signals, remove=remove,
            unlink=RemoveLink(index),
            rename=RenameContainer(index, events, network),
            list=ListContainers(index, images.catalog, base.snapshots, pools),
            inspect=InspectContainer(index, images.catalog, base.snapshots, pools, defaults),
            update=UpdateContainer(index, pools, events, defaults),
            change_ports=ChangePorts(index, attachments, pools, events),
            change_mounts=ChangeMounts(
                index, mounts, base.volumes, images.catalog, base.snapshots, base.supervisor,
                user_namespaces, pools, events,
            ),
            prune=PruneContainers(index, remove, base.snapshots, pools, events),
        ),
    )  # fmt: skip


def stream_use_cases(base: Foundation) -> StreamUseCases:
    """What clients read from containers and write to them."""
    index, pools, events = base.index, base.pools, base.events
    defaults = base.settings.containers
    views = FileViews(base.snapshots, base.volumes, base.supervisor, base.scratch, pools)
    return StreamUseCases(
        attach=AttachContainer(index, pools, events),
        logs=ContainerLogs(index, pools),
        resize=ResizeContainer(index, pools, events),
        top=ContainerTop(index, defaults, pools, events),
        stats=ReadStats(index, defaults, pools),
        files=ContainerFiles(index, views, pools, events),
        export=ExportContainer(index, views, pools, events),
        changes=ContainerChanges(index, base.snapshots, base.supervisor, pools),
    )


def exec_use_cases(base: Foundation) -> ExecUseCases:
    """What clients may do with further processes."""
    registry = ExecRegistry()
    return ExecUseCases(
        create=CreateExec(base.index, registry, base.events, base.supervisor),
        start=StartExec(registry, base.pools, base.events),
        inspect=InspectExec(registry),
        resize=ResizeExec(registry, base.pools),
    )
