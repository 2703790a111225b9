"""The one place that builds objects: reading it is reading the architecture."""

import asyncio
import hashlib
import logging
import os
import shutil
from collections import Counter
from pathlib import Path

import msgspec
from aiohttp import web

from wherry.api.app import Observer, make_protocol, make_server
from wherry.api.routes import ROUTES
from wherry.api.services import Services
from wherry.daemon.config import Config
from wherry.daemon.front_door import HOLD_TASK, FrontDoor
from wherry.daemon.groups import choose_groups
from wherry.daemon.settings import Settings
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
from wherry.engine.containers.index import ContainerIndex
from wherry.engine.containers.inspect import InspectContainer
from wherry.engine.containers.list import ListContainers
from wherry.engine.containers.live_network import TASK as PLUG_TASK
from wherry.engine.containers.live_network import LiveNetwork
from wherry.engine.containers.logs import ContainerLogs
from wherry.engine.containers.mounts import MountResolver
from wherry.engine.containers.name_service import DNS_TASK, NameService
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
from wherry.engine.networks.connect import ConnectNetwork
from wherry.engine.networks.create import CreateNetwork
from wherry.engine.networks.disconnect import DisconnectNetwork
from wherry.engine.networks.guard import NetworkGuard
from wherry.engine.networks.inspect import InspectNetwork
from wherry.engine.networks.list import ListNetworks
from wherry.engine.networks.prune import PruneNetworks
from wherry.engine.networks.remove import RemoveNetwork
from wherry.engine.networks.state import NetworkState
from wherry.engine.networks.use_cases import NetworkUseCases
from wherry.engine.pools import Pools
from wherry.engine.secrets.state import SecretState
from wherry.engine.secrets.use_cases import SecretUseCases
from wherry.engine.system.data_root import DataRoot, Known
from wherry.engine.system.disk_usage import DiskUsage
from wherry.engine.system.event_bus import EventBus
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
from wherry.engine.volumes.state import VolumeState
from wherry.engine.volumes.transfer import CloneVolume, ExportVolume, ImportVolume
from wherry.engine.volumes.transfer_tasks import COPY_TASK, EXPORT_TASK, IMPORT_TASK
from wherry.engine.volumes.use_cases import VolumeUseCases
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
from wherry.linux.cgroup.group import Cgroup
from wherry.linux.cgroup.layout import CgroupLayout
from wherry.network.attachments import Attachments
from wherry.network.bridges import Bridges, host_routes
from wherry.network.catalog import NetworkCatalog
from wherry.network.firewall import Firewall
from wherry.network.foreign import ForeignFirewalls
from wherry.network.ipam import DEFAULT_POOLS, Pool
from wherry.network.lifecycle import BridgeSettings, NetworkLifecycle
from wherry.network.ports import HostPorts
from wherry.network.proxy_client import Proxy
from wherry.network.publication import Publication
from wherry.runtime.live_mounts import ATTACH_TASK, DETACH_TASK
from wherry.store.content.blobs import SmallBlobs
from wherry.store.content.layers import LayerArchives
from wherry.store.records.database import Database
from wherry.store.secrets.vault import Vault
from wherry.store.snapshot.driver import open_snapshots
from wherry.store.volume.directory import VolumeDirectories
from wherry.supervisor.client import Supervisor
from wherry.wire.server.listeners import open_listener, serve, tls_context

logger = logging.getLogger("wherry.daemon")

PROXY_TASK = "network.proxy"
PROXY_SECONDS = 10.0

TASKS = {
    HOLD_TASK: "wherry.wire.server.holder:hold_task",
    PROXY_TASK: "wherry.network.proxy:proxy_task",
    PLUG_TASK: "wherry.runtime.plug:plug_task",
    "layer.diff": "wherry.store.layer.diff:diff_task",
    "layer.changes": "wherry.store.layer.changes:changes_task",
    "tree.read": "wherry.engine.containers.tree_tasks:read_task",
    "tree.write": "wherry.engine.containers.tree_tasks:write_task",
    "tree.export": "wherry.engine.containers.tree_tasks:export_task",
    "layer.apply": "wherry.store.layer.apply:apply_task",
    DNS_TASK: "wherry.network.dns.task:dns_task",
    "volume.copy_up": "wherry.store.volume.copy_up:copy_up_task",
    ATTACH_TASK: "wherry.runtime.live_mounts:attach_task",
    DETACH_TASK: "wherry.runtime.live_mounts:detach_task",
    EXPORT_TASK: "wherry.engine.volumes.transfer_tasks:export_task",
    IMPORT_TASK: "wherry.engine.volumes.transfer_tasks:import_task",
    COPY_TASK: "wherry.engine.volumes.transfer_tasks:copy_task",
}
"""What may run in a confined child of the zygote, by name."""

_ENDING_SECONDS = 2.0
_DEFAULT_ROOT = Path("/var/lib/wherry")


def instance_name(data_root: Path) -> str:
    """What tells this daemon's cgroups, links and tables from those of others on the host."""
    if data_root == _DEFAULT_ROOT:
        return "wherry"
    return f"wherry-{hashlib.sha256(str(data_root.resolve()).encode()).hexdigest()[:6]}"


def _shown(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


class Engine:
    """The daemon's objects and their order of starting and ending."""

    def __init__(self, config: Config) -> None:
        """Builds what needs no other process and no kernel object."""
        self._config = config
        self._instance = instance_name(config.data_root)
        self._servers: list[asyncio.Server] = []
        # First: looking for what the kernel can may fork, which threads would not survive.
        self._snapshots, self._storage_warning = open_snapshots(
            config.data_root, config.storage_driver
        )
        if self._storage_warning:
            logger.warning("%s", self._storage_warning)
        self._database = Database(config.data_root / "records.db")
        self._pools = Pools()
        self._events = EventBus()
        self._groups = choose_groups(config, self._instance, CgroupLayout.detect())
        self._supervisor = Supervisor(config.exec_root, tasks=TASKS, cgroup=self._groups.monitors)
        self._settings = Settings(config, self._groups, self._instance, self._snapshots.name)
        self._defaults = self._settings.containers
        self._front_door = FrontDoor(config.hosts, config.group, config.exec_root, self._supervisor)
        self._archives = LayerArchives(config.data_root / "archives")
        self._catalog = ImageCatalog(self._database)
        self._layers = ImageLayers(self._catalog, self._snapshots, self._archives)
        self._attestations = Attestations(
            self._catalog, SmallBlobs(config.data_root / "attestations")
        )
        self._index = ContainerIndex(self._database)
        self._volumes = VolumeState(
            VolumeDirectories(config.data_root / "volumes"), self._database, self._pools,
            self._events,
        )  # fmt: skip
        key_file = config.secrets_key_file or config.data_root / "secrets.key"
        self._secrets = SecretState(Vault(key_file), self._database, self._pools, self._events)
        self._build_network()
        self._build_containers()
        self._services = Services(
            containers=self._containers,
            streams=self._stream_use_cases(),
            execs=self._exec_use_cases(),
            images=self._image_use_cases(),
            networks=self._network_use_cases(),
            volumes=self._volume_use_cases(),
            secrets=SecretUseCases(self._secrets, self._index),
            system=self._system_use_cases(),
        )  # fmt: skip

    async def start(self) -> None:
        """Brings everything up and listens; raises WherryError for what cannot be."""
        # First: it waits for what an earlier daemon's children were still making.
        await self._pools.run("supervisor", self._supervisor.open)
        await self._pools.run("disk", self._empty_scratch)
        await self._pools.run("disk", self._layers.drop_orphans)
        await self._pools.run("disk", self._attestations.drop_unneeded)
        self._guard.open()
        await self._networks.open()
        await self._volumes.open()
        self._secrets.open()
        self._index.open()
        await self._adopt()
        await self._networks.settle()
        await self._names.open()
        self._adopt.catch_up()
        await self._listen()

    async def stop(self) -> None:
        """Ends serving and everything that is not a container's.

        The sockets stay, held for the next daemon, if containers run that may have them mounted.
        """
        for server in self._servers:
            server.close()
        self._events.close()
        await self._leave()
        await self._health.close()
        await self._guard.close()
        await self._names.close()
        await self._networks.close()
        runs = any(item.monitor is not None for item in self._index.all())
        await self._pools.run("disk", self._front_door.close, keep=runs)
        await self._pools.run("supervisor", self._supervisor.close)
        await self._pools.run("disk", self._remove_cgroups, 0.0 if runs else _ENDING_SECONDS)
        self._pools.close()
        self._database.close()

    def reload(self, newer: Config) -> None:
        """Takes over a configuration's live options; those that need a restart are named."""
        changed, waiting = self._settings.renew(newer)
        if "dns" in changed:
            self._names.refresh()
        logger.info("reloaded the configuration: changed %s", ", ".join(changed) or "nothing")
        for key in waiting:
            logger.warning("%s changed: it takes effect when the daemon is restarted", key)
        attributes = {key: _shown(value) for key, value in self._settings.live().items()}
        attributes["name"] = os.uname().nodename
        self._events.publish("daemon", "reload", self._settings.engine.id, attributes)

    def _empty_scratch(self) -> None:
        """What an earlier daemon was working on when it ended."""
        scratch = self._config.data_root / "tmp"
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(mode=0o700)

    def _remove_cgroups(self, seconds: float) -> None:
        """The instance's own groups go when no container is left in them.

        The monitors of containers that have just ended get so many seconds.
        """
        if self._groups.driver == "systemd":
            return  # slices and scopes are systemd's to remove
        for path in (self._groups.parent, self._groups.monitors):
            Cgroup(self._groups.layout, path).remove_if_empty(seconds)

    async def _listen(self) -> None:
        config = self._config
        tls = None
        if config.tls or config.tlsverify:
            tls = tls_context(
                config.tlscert, config.tlskey, config.tlscacert, verify=bool(config.tlsverify)
            )
        observe = await self._serve_metrics() if config.metrics_addr else None
        protocol = make_protocol(make_server(ROUTES, self._services, observe))
        for listener in await self._pools.run("disk", self._front_door.open):
            self._servers.append(await serve(listener, protocol, tls))

    async def _serve_metrics(self) -> Observer:
        from wherry.daemon.metrics import Metrics

        metrics = Metrics(
            self._settings.engine, read_host(), self._events, self._health, self._counts
        )
        server = web.Server(metrics.answer, access_log=None)
        for listener in open_listener(f"tcp://{self._config.metrics_addr}"):
            self._servers.append(await serve(listener, server))
        return metrics.observe

    def _build_network(self) -> None:
        config = self._config
        firewall = Firewall(self._instance, enabled=config.iptables)
        self._bridges = Bridges(
            firewall, ForeignFirewalls(firewall, self._instance), ip_forward=config.ip_forward
        )
        pools = [Pool(item.base, item.size) for item in config.default_address_pools]
        catalog = NetworkCatalog(pools or DEFAULT_POOLS, host_routes)
        proxy = Proxy(config.exec_root, self._launch_proxy) if config.userland_proxy else None
        self._attachments = Attachments(
            catalog, self._bridges, firewall, Publication(firewall, HostPorts(), proxy)
        )
        self._guard = NetworkGuard(self._bridges, firewall, proxy, self._pools)
        short = self._instance.removeprefix("wherry").removeprefix("-")
        settings = BridgeSettings(
            name=f"wh{short}" if short else "wherry0",
            bridge=config.bridge, bip=config.bip, fixed_cidr=config.fixed_cidr,
            ipv6=config.ipv6, fixed_cidr_v6=config.fixed_cidr_v6,
            default_gateways=(config.default_gateway, config.default_gateway_v6), mtu=config.mtu,
            icc=config.icc, ip_masq=config.ip_masq, ip=config.ip,
        )  # fmt: skip
        lifecycle = NetworkLifecycle(catalog, self._bridges, firewall, settings)
        self._networks = NetworkState(catalog, lifecycle, self._database, self._pools, self._events)

    def _launch_proxy(self, directory: Path) -> None:
        """Starts the proxy of published ports, which outlives this daemon."""
        self._proxy_task = self._supervisor.run_task(
            PROXY_TASK, str(directory).encode(), outlive=True
        )
        self._proxy_task.next_frame(PROXY_SECONDS)

    def _build_containers(self) -> None:
        index, pools, events, defaults = self._index, self._pools, self._events, self._defaults
        self._names = NameService(
            index, self._networks, self._supervisor, pools, defaults,
            ("debug" if self._config.debug else self._config.log_level, self._config.log_format),
        )  # fmt: skip
        network = ContainerNetwork(
            index, self._networks, self._attachments, pools, defaults, self._names
        )
        self._live_network = LiveNetwork(
            index, self._networks, self._attachments, network, self._supervisor, pools
        )
        self._watcher = ExitWatcher(index, network, self._volumes, pools, events, defaults)
        user_namespaces = UserNamespaces(
            index, read_pool(Path("/etc/subuid")), read_pool(Path("/etc/subgid"))
        )
        start = StartContainer(
            index, self._snapshots, network, self._volumes, self._supervisor, self._watcher,
            pools, events, defaults, user_namespaces, self._secrets,
        )  # fmt: skip
        signals = ContainerSignals(index, start, pools, events, defaults)
        remove = RemoveContainer(
            index, signals, self._snapshots, self._volumes, pools, events, defaults
        )
        mounts = MountResolver(self._volumes, index, self._catalog, self._secrets)
        create = CreateContainer(
            index, self._catalog, self._snapshots, mounts, self._volumes, pools, events, defaults,
            CopyUp(self._volumes, self._snapshots, self._supervisor, pools), user_namespaces,
            self._networks, self._layers, self._supervisor,
        )  # fmt: skip
        self._watcher.connect(start.again, remove.auto)
        self._health = HealthChecks(pools, events)
        self._watcher.observe(self._health.started, self._health.ended)
        self._health.observe(HealContainer(signals))
        self._adopt = AdoptContainers(
            index, self._supervisor, self._snapshots, self._attachments, self._volumes,
            self._watcher, start, remove, pools, defaults, self._live_network,
        )  # fmt: skip
        self._leave = LeaveContainers(index, self._watcher, pools, defaults)
        self._containers = ContainerUseCases(
            index=index, create=create, start=start, signals=signals, remove=remove,
            unlink=RemoveLink(index),
            rename=RenameContainer(index, events, network),
            list=ListContainers(index, self._catalog, self._snapshots, pools),
            inspect=InspectContainer(index, self._catalog, self._snapshots, pools, defaults),
            update=UpdateContainer(index, pools, events, defaults),
            change_ports=ChangePorts(index, self._attachments, pools, events),
            change_mounts=ChangeMounts(
                index, mounts, self._volumes, self._catalog, self._snapshots, self._supervisor,
                user_namespaces, pools, events,
            ),
            prune=PruneContainers(index, remove, self._snapshots, pools, events),
        )  # fmt: skip

    def _stream_use_cases(self) -> StreamUseCases:
        index, pools, events, defaults = self._index, self._pools, self._events, self._defaults
        views = FileViews(
            self._snapshots, self._volumes, self._supervisor, self._config.data_root / "tmp", pools
        )
        return StreamUseCases(
            attach=AttachContainer(index, pools, events),
            logs=ContainerLogs(index, pools),
            resize=ResizeContainer(index, pools, events),
            top=ContainerTop(index, defaults, pools, events),
            stats=ReadStats(index, defaults, pools),
            files=ContainerFiles(index, views, pools, events),
            export=ExportContainer(index, views, pools, events),
            changes=ContainerChanges(index, self._snapshots, self._supervisor, pools),
        )

    def _exec_use_cases(self) -> ExecUseCases:
        registry = ExecRegistry()
        return ExecUseCases(
            create=CreateExec(self._index, registry, self._events, self._supervisor),
            start=StartExec(registry, self._pools, self._events),
            inspect=InspectExec(registry),
            resize=ResizeExec(registry, self._pools),
        )

    def _image_use_cases(self) -> ImageUseCases:
        scratch = self._config.data_root / "tmp"
        catalog, layers, archives = self._catalog, self._layers, self._archives
        pools, events, registries = self._pools, self._events, self._settings.registries
        self._downloads = Downloads(self._config.data_root / "partial", registries)
        unpacker = LayerUnpacker(self._snapshots, archives, self._supervisor)
        packer = Packer(archives, str(scratch))
        attestations = self._attestations
        describe = DescribeImages(
            catalog, packer, archives, self._snapshots, self._index, attestations
        )
        remove = RemoveImage(catalog, layers, self._index, pools, events, attestations)
        commit = CommitImage(
            catalog, self._snapshots, unpacker, layers, self._supervisor, str(scratch)
        )
        pull = PullImage(
            catalog, unpacker, layers, archives, self._downloads, registries, attestations
        )
        push = PushImage(
            catalog, packer, Uploads(archives, self._database), attestations, registries
        )
        return ImageUseCases(
            catalog=catalog,
            list=ListImages(catalog, describe, self._index, pools),
            inspect=InspectImage(catalog, describe, pools, self._snapshots.name),
            take_in=TakeIn(
                LoadImages(catalog, unpacker, layers, str(scratch), attestations),
                ImportImage(catalog, unpacker, layers), scratch, registries, pools, events,
            ),
            remove=remove,
            prune=PruneImages(catalog, remove, layers, self._downloads, pools, events),
            commit=CommitContainer(catalog, commit, self._containers.signals, pools, events),
            save=SendImages(
                catalog, SaveImages(catalog, packer, archives, str(scratch), attestations), scratch,
                pools, events,
            ),
            pull=PullForClient(pull, pools, events),
            push=PushForClient(push, pools, events),
            search=SearchImages(pools, registries),
            distribution=InspectDistribution(pools, registries),
            log_in=LogIn(pools, registries),
            attestations=attestations,
            tag=TagImage(catalog, pools, events),
            pools=pools,
        )  # fmt: skip

    def _warnings(self) -> list[str]:
        own = [self._storage_warning] if self._storage_warning else []
        return own + list(self._bridges.warnings)

    def _volume_use_cases(self) -> VolumeUseCases:
        state, supervisor, pools = self._volumes, self._supervisor, self._pools
        return VolumeUseCases(
            list=ListVolumes(state), inspect=InspectVolume(state), create=CreateVolume(state),
            remove=RemoveVolume(state), prune=PruneVolumes(state),
            export=ExportVolume(state, supervisor, pools),
            fill=ImportVolume(state, supervisor, pools),
            clone=CloneVolume(state, supervisor, pools),
        )  # fmt: skip

    def _network_use_cases(self) -> NetworkUseCases:
        state = self._networks

        def referred() -> set[str]:
            return {name for item in self._index.all() for name in item.record.networks}

        return NetworkUseCases(
            ListNetworks(state), InspectNetwork(state), CreateNetwork(state),
            RemoveNetwork(state), PruneNetworks(state, referred),
            ConnectNetwork(state, self._index, self._live_network),
            DisconnectNetwork(state, self._index, self._live_network),
        )  # fmt: skip

    def _counts(self) -> Counts:
        states = [item.state.status for item in self._index.all()]
        running = sum(status in ("running", "restarting") for status in states)
        paused = states.count("paused")
        stopped = len(states) - running - paused
        return Counts(running, paused, stopped, len(self._catalog.images()))

    def _known_on_disk(self) -> Known:
        images = self._catalog.images()
        return Known(
            containers=frozenset(item.id for item in self._index.all()),
            volumes=frozenset(record.name for record in self._volumes.records()),
            layers=frozenset(self._catalog.used_layers() | self._snapshots.used_layers()),
            archives=frozenset(name for image in images for name in image.config.rootfs.diff_ids),
        )

    def _system_use_cases(self) -> SystemUseCases:
        facts = self._settings.engine
        host = read_host()

        def users() -> Counter[str]:
            return Counter(item.record.image_id for item in self._index.all())

        sizes = KeptSizes(self._pools)
        data_root = DataRoot(
            self._config.data_root, self._snapshots.name, sizes, self._pools, self._known_on_disk
        )
        return SystemUseCases(
            Info(facts, host, self._events, self._counts, self._warnings),
            Version(facts, host),
            DiskUsage(
                self._volumes,
                ImageUsage(self._catalog, self._snapshots, users),
                self._containers.list.measured,
                data_root,
                sizes,
                self._pools,
            ),
            self._events,
        )
