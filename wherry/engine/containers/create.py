"""Making a container: all of it or nothing."""

import contextlib
import os
import shutil
from collections.abc import Mapping, Sequence

import msgspec

from wherry.base import crash_points
from wherry.base.clock import timestamp
from wherry.base.errors import InvalidParameter
from wherry.base.ids import new_id, short_id
from wherry.engine.containers.asked_networks import asked_networks
from wherry.engine.containers.capped import capping_warnings
from wherry.engine.containers.container import Container, MountPoint, Record
from wherry.engine.containers.copy_up import CopyUp
from wherry.engine.containers.defaults import ContainerDefaults
from wherry.engine.containers.discard import discard_unsupported
from wherry.engine.containers.index import ContainerIndex, NoSuchContainer
from wherry.engine.containers.layers import remove_snapshots
from wherry.engine.containers.merge import merge_config
from wherry.engine.containers.mounts import MountResolver
from wherry.engine.containers.names import check_name, random_name
from wherry.engine.containers.user_namespaces import UserNamespaces
from wherry.engine.containers.validate import check_create
from wherry.engine.networks.state import NetworkState
from wherry.engine.pools import Pools
from wherry.engine.system.event_bus import EventBus
from wherry.engine.volumes.state import VolumeState
from wherry.images.catalog import ImageCatalog
from wherry.images.layers import ImageLayers
from wherry.linux.cgroup.scope import is_slice
from wherry.model.docker.container import (
    ContainerConfig,
    CreateRequest,
    CreateResponse,
    HostConfig,
    LogConfig,
    words,
)
from wherry.model.image import Image
from wherry.network.files import split_extra_host
from wherry.store.snapshot.driver import Snapshots
from wherry.supervisor.client import Supervisor

_CONFIG_FIELDS = ContainerConfig.__struct_fields__


class CreateContainer:
    """Checks everything, then makes the record, its volumes and its writable layer."""

    def __init__(
        self, index: ContainerIndex, images: ImageCatalog, snapshots: Snapshots,
        mounts: MountResolver, volumes: VolumeState, pools: Pools, events: EventBus,
        defaults: ContainerDefaults, copy_up: CopyUp, user_namespaces: UserNamespaces,
        networks: NetworkState, layers: ImageLayers, supervisor: Supervisor,
    ) -> None:  # fmt: skip
        self._supervisor = supervisor
        self._networks = networks
        self._layers = layers
        self._user_namespaces = user_namespaces
        self._copy_up = copy_up
        self._index = index
        self._images = images
        self._snapshots = snapshots
        self._mounts = mounts
        self._volumes = volumes
        self._pools = pools
        self._events = events
        self._defaults = defaults

    async def __call__(self, request: CreateRequest, name: str, platform: str) -> CreateResponse:
        """Creates a container; raises NoSuchImage, NameInUse, InvalidParameter, NotFound."""
        self._supervisor.expect()  # a start usually follows at once
        config = ContainerConfig(**{key: getattr(request, key) for key in _CONFIG_FIELDS})
        host = self._complete(request.host_config or HostConfig())
        if name:
            name = check_name(name)
        if not config.image:
            raise InvalidParameter("Config.Image cannot be empty: name an image")
        image = self._images.get_for(config.image, platform)
        host, warnings = self._checked(config, host)
        merged = merge_config(config, image.config)
        asked = asked_networks(
            request, host, merged, self._networks.name_of, self._networks.subnets_of
        )
        identifier = new_id()
        merged = self._named(merged, host, identifier)
        name = self._take_name(name, identifier)
        points: tuple[MountPoint, ...] = ()
        crash_points.reach("create.named")
        try:
            ids = self._user_namespaces.take(identifier, host)
            points = await self._mounts.settle(identifier, merged, host)
            crash_points.reach("create.volumes")
            command = [*words(merged.entrypoint), *words(merged.cmd)]
            container = Container(Record(
                id=identifier, name=name, created=timestamp(), image_id=image.id,
                image=config.image, config=merged, host=host, path=command[0],
                args=tuple(command[1:]), networks=asked, mounts=points, id_range=ids,
                log_path=self._log_path(identifier, host),
            ))  # fmt: skip
            images = {identifier: image}
            images |= {point.snapshot: self._images.get(point.image)
                       for point in points if point.snapshot}  # fmt: skip
            await self._pools.run("disk", self._make, identifier, images)
            crash_points.reach("create.layer")
            await self._copy_up(identifier, points)
            crash_points.reach("create.filled")
            volumes = [point.volume for point in points if point.volume]
            await self._index.add(container, self._volumes.finish(volumes))
            crash_points.reach("create.recorded")
        except BaseException:
            self._index.free_name(name)
            await self._volumes.abandon(identifier)
            await self._pools.run("disk", self._unmake, identifier, points)
            raise
        finally:
            self._user_namespaces.settle(identifier)
        self._events.publish("container", "create", identifier, container.attributes())
        return CreateResponse(identifier, [*warnings, *_warnings(host)])

    def _checked(self, config: ContainerConfig, host: HostConfig) -> tuple[HostConfig, list[str]]:
        """What of the host's configuration can be kept, and warnings about the rest."""
        check_create(config, host, self._defaults.cpus, self._defaults.memory_nodes)
        kept, warnings = discard_unsupported(host, self._defaults.facilities)
        self._check_parent(kept)
        self._check_links(kept)
        for entry in kept.extra_hosts or ():
            split_extra_host(entry)
        return kept, [*warnings, *capping_warnings(kept, self._defaults.bounds)]

    def _log_path(self, identifier: str, host: HostConfig) -> str:
        if host.log_config.type == "none":
            return ""
        return str(self._defaults.container_dir(identifier) / f"{identifier}-json.log")

    def _check_parent(self, host: HostConfig) -> None:
        by_systemd = self._defaults.cgroup_driver == "systemd"
        if by_systemd and host.cgroup_parent and not is_slice(host.cgroup_parent):
            raise InvalidParameter(
                'cgroup-parent for systemd cgroup should be a valid slice named as "xxx.slice"'
            )

    def _named(self, config: ContainerConfig, host: HostConfig, identifier: str) -> ContainerConfig:
        """With a host name: the host's, another container's, or the short id."""
        mode = host.network_mode
        if mode.startswith("container:"):
            other = self._index.find(mode.removeprefix("container:"))
            if other is None:  # said by the start: a client takes NotFound for the image's
                return config
            names = other.record.config
            return msgspec.structs.replace(
                config, hostname=names.hostname, domainname=names.domainname
            )
        if config.hostname:
            return config
        own = os.uname().nodename if "host" in (mode, host.uts_mode) else short_id(identifier)
        return msgspec.structs.replace(config, hostname=own)

    def _take_name(self, name: str, identifier: str) -> str:
        if not name:
            name = random_name()
            while self._index.is_name_taken(name):
                name = f"{random_name()}{identifier[:4]}"
        self._index.reserve_name(name, identifier)
        return name

    def _make(self, identifier: str, images: Mapping[str, Image]) -> None:
        directory = self._defaults.container_dir(identifier)
        directory.mkdir(mode=0o710, parents=True)
        with contextlib.ExitStack() as stack:
            for key, image in images.items():
                stack.enter_context(self._layers.hold(image.config.rootfs.diff_ids))
                self._snapshots.prepare(key, image.chain)

    def _unmake(self, identifier: str, points: Sequence[MountPoint]) -> None:
        remove_snapshots(self._snapshots, identifier, points)
        shutil.rmtree(self._defaults.container_dir(identifier), ignore_errors=True)

    def _check_links(self, host: HostConfig) -> None:
        """Whoever is linked to on the default bridge must exist; elsewhere links are only names."""
        if host.network_mode not in ("default", "bridge"):
            return
        for word in host.links or ():
            name = word.partition(":")[0]
            try:
                self._index.get(name)
            except NoSuchContainer as error:
                raise InvalidParameter(  # a client takes NotFound for the image's
                    f"could not get container for {name}: {error.message}"
                ) from None

    def _complete(self, host: HostConfig) -> HostConfig:
        defaults = self._defaults
        log = host.log_config
        if not log.type:
            options = {**defaults.log_opts, **(log.config or {})}
            log = LogConfig(defaults.log_driver, options)
        else:
            log = LogConfig(log.type, log.config or {})
        swap = host.memory_swap
        if host.memory > 0 and swap == 0:
            swap = host.memory * 2
        cgroupns = host.cgroupns_mode or (
            "host" if host.privileged or not defaults.private_cgroupns else "private"
        )
        return msgspec.structs.replace(
            host,
            log_config=log,
            memory_swap=swap,
            memory_swappiness=None if host.memory_swappiness == -1 else host.memory_swappiness,
            network_mode=host.network_mode or "default",
            ipc_mode=host.ipc_mode or defaults.ipc_mode,
            cgroupns_mode=cgroupns,
            shm_size=host.shm_size or defaults.shm_size,
            runtime=host.runtime or "runc",
            restart_policy=msgspec.structs.replace(
                host.restart_policy, name=host.restart_policy.name or "no"
            ),
            masked_paths=host.masked_paths,
            readonly_paths=host.readonly_paths,
        )


def _warnings(host: HostConfig) -> list[str]:
    warnings: list[str] = []
    if host.oom_kill_disable and not host.memory:
        warnings.append(
            "OOM killer is disabled for the container, but no memory limit is set, this can result "
            "in the system running out of resources."
        )
    if host.network_mode == "host" and host.port_bindings:
        warnings.append("Published ports are discarded when using host network mode")
    return warnings
