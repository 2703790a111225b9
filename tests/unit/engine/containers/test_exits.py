"""What follows from the end of a container, with a monitor, networks and volumes that are fakes."""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec

from wherry.base.clock import rfc3339_nano
from wherry.base.errors import WherryError
from wherry.engine.containers.container import Container, MountPoint, Record, State
from wherry.engine.containers.defaults import ContainerDefaults
from wherry.engine.containers.exits import ExitWatcher
from wherry.engine.containers.health import HealthChecks
from wherry.engine.containers.index import ContainerIndex
from wherry.engine.pools import Pools
from wherry.engine.system.event_bus import EventBus
from wherry.linux.cgroup.layout import CgroupLayout
from wherry.model.docker.container import ContainerConfig, HostConfig, RestartPolicy
from wherry.model.image_config import HealthConfig
from wherry.store.records.database import Database
from wherry.supervisor import messages as msg
from wherry.supervisor.client import MonitorGone

NOW = 1_800_000_000


class InlinePools(Pools):
    """Runs everything at once in the caller's thread."""

    def __init__(self) -> None:
        """No threads."""

    async def run(self, pool: str, function: Callable[..., Any], *args: Any, **kw: Any) -> Any:
        """The result of the call."""
        return function(*args, **kw)


class FakeMonitor:
    """Tells the events that a test gives it; a check's program says `checked` and exits 0."""

    def __init__(self) -> None:
        self._ours, self._theirs = socket.socketpair()
        self._events: list[msg.Event] = []
        self.gone = False
        self.closed = False

    def fileno(self) -> int:
        return self._ours.fileno()

    def tell(self, event: msg.Event) -> None:
        self._events.append(event)
        self._theirs.send(b"x")

    def vanish(self) -> None:
        self.gone = True
        self._theirs.send(b"x")

    def receive(self) -> list[msg.Event]:
        self._ours.recv(100)
        if self.gone:
            raise MonitorGone("the monitor has ended")
        found, self._events = self._events, []
        return found

    def exec(self, request: msg.ExecRequest, descriptor: int, options: msg.AttachOptions) -> int:
        with socket.socket(fileno=os.dup(descriptor)) as stream:
            stream.sendall(b"checked\n")
        self.tell(msg.ExecExited(request.id, 0))
        return 7

    def close(self) -> None:
        self.closed = True
        self._ours.close()
        self._theirs.close()


class FakeNetwork:
    """Notes who left."""

    def __init__(self) -> None:
        self.left: list[str] = []
        self.broken = False

    async def leave(self, container: Container) -> None:
        if self.broken:
            raise WherryError("the firewall is gone")
        self.left.append(container.id)

    async def settle(self) -> None:
        return


class FakeVolumes:
    """Notes what was unmounted."""

    def __init__(self) -> None:
        self.unmounted: list[str] = []

    async def unmount(self, name: str, container: str, *, shown: bool = False) -> None:
        self.unmounted.append(name)


class House:
    """An exit watcher and its neighbours on a root of its own."""

    def __init__(self, root: Path) -> None:
        self.database = Database(root / "records.db")
        self.index = ContainerIndex(self.database)
        self.network, self.volumes = FakeNetwork(), FakeVolumes()
        self.monitors: list[FakeMonitor] = []
        self.bus = EventBus()
        self.events = self.bus.subscribe({})
        (root / "cgroup").mkdir()
        defaults = ContainerDefaults(
            data_root=root, exec_root=root / "run", cgroup_parent="/x", cpus=2,
            layout=CgroupLayout(2, str(root / "cgroup")), architecture="amd64",
        )  # fmt: skip
        self.state_dir = defaults.state_dir
        self.watcher = ExitWatcher(
            self.index, self.network, self.volumes,  # type: ignore[arg-type] # fakes
            InlinePools(), self.bus, defaults,
        )  # fmt: skip
        self.restarted: asyncio.Queue[int] = asyncio.Queue()
        self.removed: asyncio.Queue[str] = asyncio.Queue()
        self.watcher.connect(self._restart, self._remove)

    async def _restart(self, container: Container, count: int) -> None:
        await self.index.update_state(container, status="running", restart_count=count)
        self.restarted.put_nowait(count)

    async def _remove(self, container: Container) -> None:
        self.removed.put_nowait(container.id)

    async def run(self, host: HostConfig | None = None, **config: Any) -> tuple[Container, Any]:
        record = Record(
            id="a" * 64, name="one", created="2026-01-01T00:00:00Z", image_id="", image="busybox",
            config=ContainerConfig(**config), host=host or HostConfig(), path="sh", args=(),
            mounts=(MountPoint("volume", "/data", volume="data"),),
            state=State("running", pid=7, started_at=rfc3339_nano((NOW - 3) * 10**9)),
        )  # fmt: skip
        container = Container(record)
        monitor = FakeMonitor()
        self.monitors.append(monitor)
        container.monitor = monitor  # type: ignore[assignment] # a fake
        self.index.reserve_name("one", record.id)
        await self.index.add(container)
        self.state_dir(record.id).mkdir(parents=True)
        self.watcher.watch(container)
        return container, monitor

    async def until(self, container: Container, condition: Callable[[], bool]) -> None:
        changed = await container.changed()
        async with asyncio.timeout(5), changed:
            await changed.wait_for(condition)

    async def actions(self, count: int) -> list[tuple[str, dict[str, str]]]:
        async with asyncio.timeout(5):
            found = [await anext(self.events) for _ in range(count)]
        return [(event.action, dict(event.actor.attributes)) for event in found]


def scenario(root: Path, story: Callable[[House], Awaitable[None]]) -> None:
    async def run() -> None:
        house = House(root)
        try:
            await story(house)
            await house.watcher.settle()
        finally:
            for monitor in house.monitors:
                monitor.close()
            house.database.close()

    asyncio.run(run())


def exited(code: int, **fields: Any) -> msg.Exited:
    return msg.Exited(code, float(NOW), **fields)


def test_an_exit_is_recorded_told_and_everything_given_back(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        container, monitor = await house.run()
        monitor.tell(exited(3))
        await house.until(container, lambda: container.state.status == "exited")
        [(action, attributes)] = await house.actions(1)
        assert (action, attributes["exitCode"], attributes["execDuration"]) == ("die", "3", "3")
        await house.watcher.settle()
        assert monitor.closed
        assert container.monitor is None
        assert (container.state.exit_code, container.state.pid) == (3, 0)
        assert house.network.left == [container.id]
        assert house.volumes.unmounted == ["data"]
        assert not house.state_dir(container.id).exists()
        stored = house.database.read_all("container")[container.id]
        assert msgspec.json.decode(stored, type=Record).state == container.state

    scenario(tmp_path, story)


def test_an_exit_is_recorded_even_if_the_network_fails(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        house.network.broken = True
        container, monitor = await house.run()
        monitor.tell(exited(0))
        await house.until(container, lambda: container.state.status == "exited")

    scenario(tmp_path, story)


def test_a_policy_restarts_with_growing_counts(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        container, monitor = await house.run(HostConfig(restart_policy=RestartPolicy("always")))
        monitor.tell(exited(1))
        async with asyncio.timeout(5):
            assert await house.restarted.get() == 1
        assert container.state.restart_count == 1
        assert container.state.status == "running"

    scenario(tmp_path, story)


def test_a_waiting_restart_is_given_up_when_the_container_is_stopped(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        container, monitor = await house.run(HostConfig(restart_policy=RestartPolicy("always")))
        monitor.tell(exited(1))
        await house.until(container, lambda: container.state.status == "restarting")
        async with container.lock:  # as soon as all is released
            await house.index.update_state(container, status="exited", manually_stopped=True)
        await house.watcher.settle()
        assert house.restarted.empty()

    scenario(tmp_path, story)


def test_a_container_of_rm_is_removed(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        container, monitor = await house.run(HostConfig(auto_remove=True))
        monitor.tell(exited(0))
        async with asyncio.timeout(5):
            assert await house.removed.get() == container.id

    scenario(tmp_path, story)


def test_no_restart_begins_while_the_daemon_stops(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        container, monitor = await house.run(HostConfig(restart_policy=RestartPolicy("always")))
        house.watcher.closing = True
        monitor.tell(exited(1))
        await house.until(container, lambda: container.state.status == "exited")
        await house.watcher.settle()
        assert house.restarted.empty()

    scenario(tmp_path, story)


def test_a_monitor_that_dies_leaves_exit_137_and_the_reason(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        container, monitor = await house.run()
        monitor.vanish()
        await house.until(container, lambda: container.state.status == "exited")
        assert container.state.exit_code == 137
        assert "monitor" in container.state.error

    scenario(tmp_path, story)


def test_what_a_dying_monitor_wrote_down_counts(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        container, monitor = await house.run()
        line = msgspec.json.encode(exited(9)) + b"\n"
        (house.state_dir(container.id) / "exits").write_bytes(line)
        monitor.vanish()
        await house.until(container, lambda: container.state.status == "exited")
        assert container.state.exit_code == 9

    scenario(tmp_path, story)


def test_want_of_memory_and_detaching_are_events(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        _, monitor = await house.run()
        monitor.tell(msg.OutOfMemory())
        monitor.tell(msg.Detached(1))
        monitor.tell(exited(137, oom_killed=True))
        assert [action for action, _ in await house.actions(3)] == ["oom", "detach", "die"]

    scenario(tmp_path, story)


def test_a_health_check_runs_in_the_container_until_it_ends(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        checks = HealthChecks(InlinePools(), house.bus)
        house.watcher.observe(checks.started, checks.ended)
        check = HealthConfig(test=["CMD", "probe"], interval=1_000_000)
        container, monitor = await house.run(healthcheck=check)
        actions = [action for action, _ in await house.actions(4)]
        assert actions == [
            "exec_create: probe", "exec_start: probe", "exec_die", "health_status: healthy",
        ]  # fmt: skip
        assert container.health is not None
        assert container.health.log[0].output == "checked\n"
        monitor.tell(exited(0))
        await house.until(container, lambda: container.state.status == "exited")
        assert container.health.status == "unhealthy"
        await checks.close()

    scenario(tmp_path, story)
