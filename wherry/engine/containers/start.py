"""Starting a container: network, files, plan, monitor; everything is taken back on failure."""

import asyncio
import logging
import os
from functools import lru_cache

import msgspec

from wherry.base import crash_points
from wherry.base.clock import rfc3339_nano
from wherry.base.errors import (
    Conflict,
    InternalError,
    InvalidParameter,
    NotFound,
    NotModified,
    WherryError,
    failure_of_system_call,
)
from wherry.engine.containers.container import Container, IdRange, MountPoint, Record
from wherry.engine.containers.defaults import ContainerDefaults
from wherry.engine.containers.exits import ExitWatcher
from wherry.engine.containers.groups import group_of
from wherry.engine.containers.index import ContainerIndex
from wherry.engine.containers.log_settings import log_settings
from wherry.engine.containers.mounts import make_bind_source
from wherry.engine.containers.networking import ContainerNetwork
from wherry.engine.containers.shared_memory import remove_state, shared_memory
from wherry.engine.containers.spec import build_spec, capabilities, seccomp_profile
from wherry.engine.containers.user_namespaces import UserNamespaces
from wherry.engine.pools import Pools
from wherry.engine.secrets.state import SecretState
from wherry.engine.system.event_bus import EventBus
from wherry.engine.volumes.state import VolumeState
from wherry.linux.seccomp import compile_profile
from wherry.model.docker.container import SecretOptions
from wherry.model.interface import Interface
from wherry.model.mount import IdMapping, Mount
from wherry.runtime.errors import (
    BY_NAME,
    ExecutableNotFound,
    ExecutableRefused,
    StartFailed,
    UserNotFound,
)
from wherry.runtime.operations import SecretFile
from wherry.runtime.plan import PlanContext, plan_container
from wherry.store.snapshot.driver import Snapshots
from wherry.supervisor.client import MonitorConnection, Supervisor
from wherry.supervisor.messages import LogSettings, StartRequest

logger = logging.getLogger("wherry.engine")

_SAVE_SECONDS = 30.0
_PREFIX = (
    "failed to create task for container: failed to create shim task: OCI runtime create failed: "
    "runc create failed: unable to start container process: "
)


_JOINING = {
    "network": "joining network namespace of container",
    "ipc": "failed to join IPC namespace",
    "pid": "failed to join PID namespace",
}
"""What could not be done when the container to join is not there, in dockerd's words."""


class StartRefused(InvalidParameter):
    """The container's program cannot be run; clients tell 126 and 127 by the text."""


class StartBroken(InternalError):
    """The runtime could not make the container."""


class StartContainer:
    """Starts created or ended containers."""

    def __init__(
        self, index: ContainerIndex, snapshots: Snapshots, network: ContainerNetwork,
        volumes: VolumeState, supervisor: Supervisor, watcher: ExitWatcher, pools: Pools,
        events: EventBus, defaults: ContainerDefaults, user_namespaces: UserNamespaces,
        secrets: SecretState,
    ) -> None:  # fmt: skip
        self._secrets = secrets
        self._user_namespaces = user_namespaces
        self._index = index
        self._snapshots = snapshots
        self._network = network
        self._volumes = volumes
        self._supervisor = supervisor
        self._watcher = watcher
        self._pools = pools
        self._events = events
        self._defaults = defaults

    async def __call__(self, container: Container) -> None:
        """Raises NotModified, Conflict if it is paused or going, StartRefused, StartBroken."""
        if container.monitor is None:
            await container.attached()
        try:
            async with container.lock:
                await self.locked(container)
        except WherryError:
            if not container.state.running and not container.removed:
                await self._watcher.discard(container)
            raise

    async def again(self, container: Container, restart_count: int) -> None:
        """Starts an ended container by its restart policy."""
        async with container.lock:
            await self.locked(container, restart_count=restart_count)

    async def locked(self, container: Container, *, restart_count: int = 0) -> None:
        """As `__call__`, by somebody who holds the lock."""
        if container.removed:
            raise Conflict(f"container {container.id} is marked for removal and cannot be started")
        if container.state.status == "paused":
            raise Conflict("cannot start a paused container, try unpause instead")
        if container.monitor is not None:
            raise NotModified("container already started")
        self._supervisor.expect()
        try:
            connection = await self._start(container)
        except BaseException as error:
            await self._failed(container, error)
            raise
        finally:
            container.parked.clear()
        crash_points.reach("start.runs")
        container.monitor = connection
        started = connection.started
        await self._index.update_state(
            container, status="running", pid=started.pid, exit_code=0, error="",
            oom_killed=False, started_at=rfc3339_nano(int(started.started_at * 1e9)),
            restart_count=restart_count, manually_stopped=False,
        )  # fmt: skip
        crash_points.reach("start.recorded")
        self._watcher.watch(container)
        if self._network.resolves_names(container):
            await self._network.announce(container)
        self._events.publish("container", "start", container.id, container.attributes())
        await container.notify()

    async def _start(self, container: Container) -> MonitorConnection:
        parked = list(container.parked)
        try:
            sources = await self._mount_volumes(container)
            crash_points.reach("start.mounted")
            joined = self._join_namespaces(container)
            interfaces = await self._network.join(container)
            crash_points.reach("start.networked")
            saved = self._index.begin_save(container)

            def launch() -> MonitorConnection:
                request = self._plan(container, interfaces, joined, sources)
                # Before anything runs: a new daemon must know what a killed one had given.
                saved.result(_SAVE_SECONDS)
                crash_points.reach("start.planned")
                return self._supervisor.start(request, parked)

            return await self._pools.run("supervisor", launch)
        except tuple(BY_NAME.values()) as error:
            raise runtime_failure(error) from error
        except OSError as error:
            raise StartBroken(
                f"failed to start container {container.id}: {failure_of_system_call(error)}"
            ) from error
        finally:
            for descriptor, _ in parked:
                os.close(descriptor)

    async def _mount_volumes(self, container: Container) -> dict[str, str]:
        sources: dict[str, str] = {}
        for point in container.record.mounts:
            if point.volume:
                path = await self._volumes.mount(point.volume, container.id, point.attributes())
                sources[point.volume] = str(path)
            elif point.type == "bind":
                await self._pools.run("disk", make_bind_source, point.source)
        return sources

    def _join_namespaces(self, container: Container) -> dict[str, str]:
        host = container.record.host
        joined: dict[str, str] = {}
        modes = (
            ("network", host.network_mode, "net"),
            ("ipc", host.ipc_mode, "ipc"),
            ("pid", host.pid_mode, "pid"),
        )
        for kind, mode, name in modes:
            if not mode.startswith("container:"):
                continue
            try:
                other = self._index.get(mode.removeprefix("container:"))
            except NotFound as error:
                raise NotFound(f"{_JOINING[kind]}: {error.message}") from None
            if not other.state.pid:
                what = "network" if kind == "network" else f"{kind} namespace"
                raise Conflict(f"cannot join {what} of a non running container: {other.id}")
            joined[kind] = f"/proc/{other.state.pid}/ns/{name}"
        _, owner = self._user_namespaces.of(container)
        if owner:
            joined["user"] = f"/proc/{owner.state.pid}/ns/user"
        return joined

    def _plan(
        self, container: Container, interfaces: tuple[Interface, ...], joined: dict[str, str],
        sources: dict[str, str],
    ) -> StartRequest:  # fmt: skip
        record, defaults = container.record, self._defaults
        files = self._network.write_files(container)
        donor = None
        if record.host.ipc_mode.startswith("container:"):
            donor = self._index.get(record.host.ipc_mode.removeprefix("container:"))
        shm = shared_memory(container, donor, defaults)
        ids, _ = self._user_namespaces.of(container)
        images = {point.snapshot: self._snapshots.mounts(point.snapshot)[0]
                  for point in record.mounts if point.snapshot}  # fmt: skip
        spec = build_spec(record, defaults, files, joined, sources, shm, ids, images)
        host = record.host
        wants_init = host.init if host.init is not None else defaults.init
        if wants_init and not defaults.init_path:
            raise InvalidParameter(
                "no init program for --init: install tini (tini-static) or give --init-path"
            )
        state_dir = defaults.state_dir(container.id)
        container.cgroup_path = defaults.cgroup_path(container.id, host.cgroup_parent)
        context = PlanContext(
            id=container.id,
            root=_root(self._snapshots.mounts(container.id)[0], ids),
            root_directory=str(state_dir / "rootfs"),
            layout=defaults.layout,
            cgroup_path=container.cgroup_path,
            interfaces=interfaces,
            user=record.config.user or "0",
            group_add=tuple(host.group_add or ()),
            init_path=defaults.init_path if wants_init else "",
            seccomp=self._seccomp(container),
            ends_before=defaults.monitor_units,
            secrets=tuple(self._secret(point) for point in record.mounts if point.secret),
            resolver=self._network.resolves_names(container),
            stop_seconds=_stop_seconds(record.config.stop_timeout, defaults.stop_timeout),
        )
        config = record.config
        return StartRequest(
            id=container.id,
            plan=plan_container(spec, context),
            log=_log_settings(record, defaults),
            state_dir=str(state_dir),
            cgroup_path=container.cgroup_path,
            root_ids=(ids.uid, ids.gid) if ids else (0, 0),
            tty=config.tty,
            open_stdin=config.open_stdin,
            stdin_once=config.stdin_once,
        )

    def _secret(self, point: MountPoint) -> SecretFile:
        options = point.secret_options or SecretOptions()
        content = self._secrets.reveal(point.secret)
        return SecretFile(point.target, content, options.uid, options.gid, options.mode)

    def _seccomp(self, container: Container) -> bytes:
        profile = seccomp_profile(container.record.host, self._defaults)
        if profile is None:
            return b""
        granted = capabilities(container.record.host)
        return _compiled(msgspec.json.encode(profile), granted)

    async def _failed(self, container: Container, error: BaseException) -> None:
        """Takes back what the start made, and writes down why."""
        await self._network.leave(container)
        for point in container.record.mounts:
            if point.volume:
                await self._volumes.unmount(point.volume, container.id, shown=True)
        await self._pools.run("disk", self._clean, container)
        code = 128
        if isinstance(error.__cause__, ExecutableNotFound):
            code = 127
        elif isinstance(error.__cause__, ExecutableRefused):
            code = 126
        if isinstance(error, asyncio.CancelledError):
            return
        text = error.message if isinstance(error, WherryError) else str(error)
        await self._index.update_state(
            container, status="exited" if container.has_run else "created",
            exit_code=code, error=text, pid=0,
        )  # fmt: skip
        await container.notify()

    def _clean(self, container: Container) -> None:
        group_of(container, self._defaults).remove()
        container.cgroup_path = ""
        remove_state(self._defaults.state_dir(container.id))


def _log_settings(record: Record, defaults: ContainerDefaults) -> LogSettings:
    try:
        return log_settings(record, defaults)
    except InvalidParameter as error:
        raise StartBroken(
            "failed to create task for container: failed to initialize logging driver: "
            f"{error.message}"
        ) from error


def _root(mount: Mount, ids: IdRange | None) -> Mount:
    """The root's mount, whose layers are mapped so that they keep the image's ids on disk."""
    if ids is None:
        return mount
    return msgspec.structs.replace(
        mount,
        uid_mappings=(IdMapping(0, ids.uid, ids.size),),
        gid_mappings=(IdMapping(0, ids.gid, ids.size),),
    )


def runtime_failure(error: WherryError) -> WherryError:
    """A failure of the runtime with the words in which Docker wraps it."""
    if isinstance(error, UserNotFound):
        return StartBroken(error.message)
    if isinstance(error, StartFailed):
        return StartBroken(_PREFIX + error.message)
    text = f"{_PREFIX}error during container init: {error.message}"
    if text.endswith("is a directory"):
        text += ": permission denied"  # which docker's command line takes for its code, 126
    return StartRefused(text)


@lru_cache(maxsize=64)
def _compiled(profile: bytes, granted: tuple[str, ...]) -> bytes:
    return compile_profile(msgspec.json.decode(profile), granted)


def _stop_seconds(own: int | None, default: int) -> int:
    """For the machine's own end, which waits a bounded time even for those that never give up."""
    seconds = default if own is None else own
    return seconds if seconds >= 0 else 90
