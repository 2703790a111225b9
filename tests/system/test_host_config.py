"""Every field of HostConfig and of ContainerConfig, and what is seen of it in a real container.

A field that the tables do not list fails the test: nothing is accepted and ignored.
"""

import contextlib
import json
import os
import re
import socket
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import msgspec
import pytest

from tests.support.api import Api, ApiError
from tests.support.engine import Engine
from tests.support.patience import patience
from wherry.linux.cgroup.facilities import find_facilities
from wherry.linux.cgroup.layout import CgroupLayout
from wherry.linux.mount import MNT_DETACH, MS_BIND, MS_SHARED, mount, umount2
from wherry.linux.systemd import systemd_runs
from wherry.model.docker.container import ContainerConfig, HostConfig

LAYOUT = CgroupLayout.detect()
V2 = LAYOUT.version == 2
MIB = 1 << 20
PARENT, INSIDE_PARENT = "/wherry-test-parent", "::/wherry-test-parent/[0-9a-f]{64}"
if not V2:
    INSIDE_PARENT = "memory:/wherry-test-parent/[0-9a-f]{64}"
elif systemd_runs():
    PARENT, INSIDE_PARENT = "wherry-test.slice", r"::/wherry\.slice/wherry-test\.slice/.*\.scope"
SLEEP = ["sleep", "1000"]


class Place:
    """What rows refer to: the engine, a directory, a disk, a running neighbour."""

    def __init__(self, engine: Engine, directory: Path) -> None:
        self.engine = engine
        self.api = Api(engine.socket)
        self.directory = directory
        disks = [entry.name for entry in Path("/sys/block").iterdir() if entry.name[0] in "vsn"]
        self.disk = f"/dev/{disks[0]}"
        number = os.stat(self.disk).st_rdev
        self.number = f"{os.major(number)}:{os.minor(number)}"
        self.made: list[str] = []
        self.peer = self.create(
            {"IpcMode": "shareable", "Binds": ["/peer"]}, {"Cmd": SLEEP, "Hostname": "peer"}
        )
        self.api.post(f"/containers/{self.peer}/start")

    def fill(self, value: Any) -> Any:
        """A row's value with its {names} replaced."""
        text = json.dumps(value)
        for name, replacement in (
            ("dir", str(self.directory)), ("disk", self.disk), ("number", self.number),
            ("peer", self.peer),
        ):  # fmt: skip
            text = text.replace(f"{{{name}}}", replacement)
        return json.loads(text)

    def create(self, host: dict[str, Any], config: dict[str, Any]) -> str:
        """A container; its id."""
        body = {"Image": "busybox", **config, "HostConfig": host}
        identifier: str = self.api.post("/containers/create", body)["Id"]
        self.made.append(identifier)
        return identifier

    def run(self, host: dict[str, Any], config: dict[str, Any], command: str) -> str:
        """What a shell command printed, to its end, and its exit code if it is not 0."""
        words = {} if "Cmd" in config else {"Cmd": ["sh", "-c", command]}
        identifier = self.create(host, {**words, **config})
        self.api.post(f"/containers/{identifier}/start")
        code = self.api.post(f"/containers/{identifier}/wait")["StatusCode"]
        kind = "" if config.get("Tty") else "framed"
        data = self.api.raw("GET", f"/containers/{identifier}/logs?stdout=1&stderr=1")
        text = _unframed(data) if kind else data.decode(errors="replace")
        return text.replace("\r", "") + (f"[exit {code}]" if code else "")

    def running(self, host: dict[str, Any], config: dict[str, Any]) -> str:
        """The id of a container that sleeps."""
        identifier = self.create(host, {"Cmd": SLEEP, **config})
        self.api.post(f"/containers/{identifier}/start")
        return identifier

    def pid(self, identifier: str) -> int:
        """Its first process, on the host."""
        pid: int = self.inspect(identifier)["State"]["Pid"]
        return pid

    def inspect(self, identifier: str) -> dict[str, Any]:
        """GET json."""
        found: dict[str, Any] = self.api.get(f"/containers/{identifier}/json")
        return found

    def clean(self) -> None:
        """Removes what rows made, but for the neighbour."""
        for identifier in self.made[1:]:
            with contextlib.suppress(ApiError):
                self.api.delete(f"/containers/{identifier}?force=1&v=1")
        del self.made[1:]


def _unframed(data: bytes) -> str:
    text = b""
    while data:
        size = int.from_bytes(data[4:8], "big")
        text, data = text + data[8 : 8 + size], data[8 + size :]
    return text.decode(errors="replace")


See = Callable[[Place, dict[str, Any], dict[str, Any]], str]


def inside(command: str = "") -> See:
    """A shell command's output."""
    return lambda place, host, config: place.run(host, config, command)


def group(controller: str, first: str, second: str) -> See:
    """A control group's file: its name in version 1 and in version 2."""

    def see(place: Place, host: dict[str, Any], config: dict[str, Any]) -> str:
        pid = place.pid(place.running(host, config))
        paths = LAYOUT.own_path(pid)
        root = LAYOUT.root if V2 else LAYOUT.controllers[controller]
        path = paths["" if V2 else controller]
        return Path(f"{root}{path}/{second if V2 else first}").read_text().strip()

    return see


def proc(name: str) -> See:
    """A file of the first process in the host's /proc."""

    def see(place: Place, host: dict[str, Any], config: dict[str, Any]) -> str:
        return Path(f"/proc/{place.pid(place.running(host, config))}/{name}").read_text()

    return see


def namespace(kind: str) -> See:
    """Whose namespace it is: the host's, the neighbour's or its own."""

    def see(place: Place, host: dict[str, Any], config: dict[str, Any]) -> str:
        own = os.readlink(f"/proc/{place.pid(place.running(host, config))}/ns/{kind}")
        others = {os.readlink(f"/proc/{place.pid(place.peer)}/ns/{kind}"): "peer"}
        others[os.readlink(f"/proc/self/ns/{kind}")] = "host"
        return others.get(own, "own")

    return see


def shown(*path: str) -> See:
    """What an inspect shows: for what is the client's to use, or only told."""

    def see(place: Place, host: dict[str, Any], config: dict[str, Any]) -> str:
        value: Any = place.inspect(place.create(host, config))
        for key in path:
            value = value[key]
        return json.dumps(value)

    return see


def refused(place: Place, host: dict[str, Any], config: dict[str, Any]) -> str:
    """The error of create or start."""
    try:
        identifier = place.create(host, {"Cmd": ["true"], **config})
        place.api.post(f"/containers/{identifier}/start")
    except ApiError as error:
        return str(error)
    return "accepted"


def warned(place: Place, host: dict[str, Any], config: dict[str, Any]) -> str:
    """The warnings of create; what cannot be kept must not hinder the start."""
    body = {"Image": "busybox", "Cmd": ["true"], **config, "HostConfig": host}
    made = place.api.post("/containers/create", body)
    place.made.append(made["Id"])
    place.api.post(f"/containers/{made['Id']}/start")
    return "\n".join(made["Warnings"])


def log_file(place: Place, host: dict[str, Any], config: dict[str, Any]) -> str:
    """The log as it lies on disk."""
    identifier = place.create(host, {"Cmd": ["echo", "logged"], **config})
    place.api.post(f"/containers/{identifier}/start")
    place.api.post(f"/containers/{identifier}/wait")
    path = place.inspect(identifier)["LogPath"]
    return Path(path).read_text() if path else "no file"


def device_rules(place: Place, host: dict[str, Any], config: dict[str, Any]) -> str:
    """The line of the device list for major 10; with version 2 whether /dev/fuse's can be opened.

    Version 2 has no list to read, only a program that the kernel asks.
    """
    if V2:
        command = "mknod /d c 10 229 && head -c 0 /d && echo opened"
        return place.run(host, config, command)
    text = group("devices", "devices.list", "")(place, host, config)
    return "\n".join(line for line in text.splitlines() if line.startswith("c 10:"))


def published(place: Place, host: dict[str, Any], config: dict[str, Any]) -> str:
    """What a client reads from the published port 80 of a server in the container."""
    command = "while true; do echo served | nc -l -p 80; done"
    identifier = place.create(
        host, {"Cmd": ["sh", "-c", command], "ExposedPorts": {"80/tcp": {}}, **config}
    )
    place.api.post(f"/containers/{identifier}/start")
    ports = place.inspect(identifier)["NetworkSettings"]["Ports"]
    binding = ports["80/tcp"][0]
    deadline = time.monotonic() + patience(10)
    while time.monotonic() < deadline:
        with (
            contextlib.suppress(OSError),
            socket.create_connection(("127.0.0.1", int(binding["HostPort"])), 5) as client,
        ):
            if answer := client.recv(100):
                return answer.decode()
        time.sleep(0.05)  # the server inside has not begun to listen
    return "nobody answered"


def restarted(place: Place, host: dict[str, Any], config: dict[str, Any]) -> str:
    """How often a failing container was started again, when its policy gives up."""
    identifier = place.create(host, {"Cmd": ["false"], **config})
    with _events(place, identifier) as events:
        place.api.post(f"/containers/{identifier}/start")
        deaths = 0
        for event in events:
            deaths += event["Action"] == "die"
            if deaths == 2:
                break
    place.api.post(f"/containers/{identifier}/wait")
    state = place.inspect(identifier)
    return f"{deaths} ends, count {state['RestartCount']}, {state['State']['Status']}"


def auto_removed(place: Place, host: dict[str, Any], config: dict[str, Any]) -> str:
    """Whether a container is there after its end."""
    identifier = place.create(host, {"Cmd": ["true"], **config})
    with _events(place, identifier) as events:
        place.api.post(f"/containers/{identifier}/start")
        next(event for event in events if event["Action"] == "destroy")
    try:
        place.inspect(identifier)
    except ApiError as error:
        return str(error)
    return "there"


@contextlib.contextmanager
def _events(place: Place, identifier: str) -> Iterator[Iterator[dict[str, Any]]]:
    """The events of a container, from now on."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(20)
        client.connect(str(place.engine.socket))
        query = json.dumps({"container": [identifier]}).replace('"', "%22").replace(" ", "")
        client.sendall(f"GET /v1.51/events?filters={query} HTTP/1.0\r\n\r\n".encode())
        with client.makefile("rb") as stream:
            assert b"200" in stream.readline()
            while stream.readline().strip():
                continue

            def follow() -> Iterator[dict[str, Any]]:
                for line in stream:
                    if line.startswith(b"{"):
                        yield json.loads(line)

            yield follow()


def stopped_with(place: Place, host: dict[str, Any], config: dict[str, Any]) -> str:
    """What a container says to the signal of a stop, and how it ends."""
    script = "trap 'echo got USR1; exit 5' USR1; echo ready; while true; do sleep 0.05; done"
    identifier = place.create(host, {"Cmd": ["sh", "-c", script], **config})
    place.api.post(f"/containers/{identifier}/start")
    _until(lambda: b"ready" in place.api.raw("GET", f"/containers/{identifier}/logs?stdout=1"))
    place.api.post(f"/containers/{identifier}/stop")
    code = place.inspect(identifier)["State"]["ExitCode"]
    data = place.api.raw("GET", f"/containers/{identifier}/logs?stdout=1")
    return f"{_unframed(data)}[exit {code}]"


def healthy(place: Place, host: dict[str, Any], config: dict[str, Any]) -> str:
    """The result of the first health check."""
    identifier = place.running(host, config)
    found: list[dict[str, Any]] = []

    def checked() -> bool:
        health = place.inspect(identifier)["State"].get("Health") or {}
        found[:] = health.get("Log") or []
        return bool(found)

    _until(checked)
    return str(found[0]["Output"])


def typed(place: Place, host: dict[str, Any], config: dict[str, Any]) -> str:
    """What `cat` gives back of what a client types, and whether it ended with the client."""
    identifier = place.create(host, {"Cmd": ["cat"], **config})
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(10)
        client.connect(str(place.engine.socket))
        path = f"/v1.51/containers/{identifier}/attach?stream=1&stdin=1&stdout=1"
        client.sendall(
            f"POST {path} HTTP/1.1\r\nHost: x\r\n".encode()
            + b"Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
        )
        assert b"101" in client.recv(4096)
        place.api.post(f"/containers/{identifier}/start")
        client.sendall(b"typed\n")
        answer = client.recv(4096)
        client.shutdown(socket.SHUT_WR)
        if not config.get("StdinOnce"):
            return f"{answer[8:].decode()}{place.inspect(identifier)['State']['Status']}"
        place.api.post(f"/containers/{identifier}/wait")
        return f"{answer[8:].decode()}{place.inspect(identifier)['State']['Status']}"


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + patience(15)
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


class Row(NamedTuple):
    """A field, a request with it, how it is looked at, and what is seen (regular expression)."""

    field: str
    host: dict[str, Any]
    see: See
    expected: str
    config: Mapping[str, Any] = MappingProxyType({})
    facility: str = ""
    """What the control groups must offer; without it `otherwise` must come of the row."""
    otherwise: str = "discarded"


def first(a: str, b: str) -> str:
    """What is expected with version 1 and with version 2 of control groups."""
    return b if V2 else a


def rate(key: str) -> str:
    """A throttle in either version's words."""
    return first("{number} 1048576", rf"{{number}} .*{key}=1048576")


HOST_CONFIG: tuple[Row, ...] = (
    # Limits
    Row("CpuShares", {"CpuShares": 512}, group("cpu", "cpu.shares", "cpu.weight"),
        first("^512$", "^(20|59)$"), facility="cpu.shares"),
    Row("CpuShares", {"CpuShares": -1}, refused, "400: invalid CPU shares"),
    Row("Memory", {"Memory": 64 * MIB}, group("memory", "memory.limit_in_bytes", "memory.max"),
        f"^{64 * MIB}$", facility="memory"),
    Row("Memory", {"Memory": MIB}, refused, "400: Minimum memory limit allowed is 6MB"),
    Row("NanoCpus", {"NanoCpus": 500_000_000}, group("cpu", "cpu.cfs_quota_us", "cpu.max"),
        first("^50000$", "^50000 100000$"), facility="cpu.quota"),
    Row("NanoCpus", {"NanoCpus": 10**15}, refused, "400: range of CPUs is from 0.01 to"),
    Row("CgroupParent", {"CgroupParent": PARENT}, proc("cgroup"), INSIDE_PARENT),
    Row("BlkioWeight", {"BlkioWeight": 300}, group("blkio", "blkio.bfq.weight", "io.weight"),
        "300|2930", facility="io.weight"),
    Row("BlkioWeight", {"BlkioWeight": 5}, refused, "400: Range of blkio weight is from 10 to"),
    Row("BlkioWeightDevice", {"BlkioWeightDevice": [{"Path": "{disk}", "Weight": 300}]},
        group("blkio", "blkio.bfq.weight_device", "io.bfq.weight"), "{number} 300",
        facility="io.weight_device"),
    Row("BlkioDeviceReadBps", {"BlkioDeviceReadBps": [{"Path": "{disk}", "Rate": MIB}]},
        group("blkio", "blkio.throttle.read_bps_device", "io.max"), rate("rbps"),
        facility="io.max"),
    Row("BlkioDeviceReadBps", {"BlkioDeviceReadBps": [{"Path": "/dev/none", "Rate": MIB}]},
        refused, "no such device: /dev/none", facility="io.max", otherwise="accepted"),
    Row("BlkioDeviceWriteBps", {"BlkioDeviceWriteBps": [{"Path": "{disk}", "Rate": MIB}]},
        group("blkio", "blkio.throttle.write_bps_device", "io.max"), rate("wbps"),
        facility="io.max"),
    Row("BlkioDeviceReadIOps", {"BlkioDeviceReadIOps": [{"Path": "{disk}", "Rate": MIB}]},
        group("blkio", "blkio.throttle.read_iops_device", "io.max"), rate("riops"),
        facility="io.max"),
    Row("BlkioDeviceWriteIOps", {"BlkioDeviceWriteIOps": [{"Path": "{disk}", "Rate": MIB}]},
        group("blkio", "blkio.throttle.write_iops_device", "io.max"), rate("wiops"),
        facility="io.max"),
    Row("CpuPeriod", {"CpuPeriod": 50000, "CpuQuota": 20000},
        group("cpu", "cpu.cfs_period_us", "cpu.max"), first("^50000$", "^20000 50000$"),
        facility="cpu.quota"),
    Row("CpuPeriod", {"CpuPeriod": 10}, refused, "400: CPU cfs period can not be less than 1ms"),
    Row("CpuQuota", {"CpuQuota": 20000}, group("cpu", "cpu.cfs_quota_us", "cpu.max"), "^20000",
        facility="cpu.quota"),
    Row("CpuQuota", {"CpuQuota": 10}, refused, "400: CPU cfs quota can not be less than 1ms"),
    Row("CpuRealtimePeriod", {"CpuRealtimePeriod": 500_000},
        group("cpu", "cpu.rt_period_us", ""), "^500000$", facility="cpu.realtime",
        otherwise="400: Your kernel does not support cgroup cpu real-time period"),
    Row("CpuRealtimeRuntime", {"CpuRealtimeRuntime": 1}, refused,
        "real-time|cpu.rt_runtime_us|accepted", facility="cpu.realtime",
        otherwise="400: Your kernel does not support cgroup cpu real-time runtime"),
    Row("CpuRealtimeRuntime", {"CpuRealtimeRuntime": 2, "CpuRealtimePeriod": 1}, refused,
        "400: cpu real-time runtime cannot be higher than cpu real-time period",
        facility="cpu.realtime", otherwise="400: "),
    Row("CpusetCpus", {"CpusetCpus": "0"}, inside("grep Cpus_allowed_list /proc/self/status"),
        r"list:\t0\n", facility="cpuset"),
    Row("CpusetCpus", {"CpusetCpus": "4096"}, refused, "400: Requested CPUs are not available"),
    Row("CpusetMems", {"CpusetMems": "0"}, inside("grep Mems_allowed_list /proc/self/status"),
        r"list:\t0\n", facility="cpuset"),
    Row("CpusetMems", {"CpusetMems": "900"}, refused, "cpuset.mems|memory nodes",
        facility="cpuset", otherwise="accepted"),
    Row("Devices", {"Devices": [{"PathOnHost": "/dev/zero", "PathInContainer": "/dev/none",
                                 "CgroupPermissions": "r"}]},
        inside("head -c 3 /dev/none | wc -c; : > /dev/none"), r"^3\n"),
    Row("Devices", {"Devices": [{"PathOnHost": "/dev/no"}]}, refused,
        '"/dev/no": no such file or directory'),
    Row("DeviceCgroupRules", {"DeviceCgroupRules": ["c 10:* rw"]}, device_rules,
        "^(c 10:[*] rw|opened)"),
    Row("DeviceCgroupRules", {"DeviceCgroupRules": ["x 10:* rw"]}, refused,
        "400: invalid device cgroup rule format: 'x 10:. rw'"),
    Row("DeviceRequests", {"DeviceRequests": [{"Driver": "", "Capabilities": [["gpu"]]}]},
        refused, "could not select device driver"),
    Row("KernelMemoryTCP", {"KernelMemoryTCP": 16 * MIB},
        group("memory", "memory.kmem.tcp.limit_in_bytes", ""), f"^{16 * MIB}$",
        facility="memory.kernel_tcp"),
    Row("MemoryReservation", {"MemoryReservation": 32 * MIB},
        group("memory", "memory.soft_limit_in_bytes", "memory.low"), f"^{32 * MIB}$",
        facility="memory.reservation"),
    Row("MemorySwap", {"Memory": 64 * MIB, "MemorySwap": 96 * MIB},
        group("memory", "memory.memsw.limit_in_bytes", "memory.swap.max"),
        first(f"^{96 * MIB}$", f"^{32 * MIB}$"), facility="memory.swap"),
    Row("MemorySwap", {"MemorySwap": 96 * MIB}, refused, "400: You should always set the Memory"),
    Row("MemorySwappiness", {"MemorySwappiness": 30},
        group("memory", "memory.swappiness", ""), "^30$", facility="memory.swappiness"),
    Row("MemorySwappiness", {"MemorySwappiness": 300}, refused, "400: Invalid value: 300"),
    Row("OomKillDisable", {"OomKillDisable": True, "Memory": 64 * MIB},
        group("memory", "memory.oom_control", ""), "oom_kill_disable 1",
        facility="memory.oom_kill_disable"),
    Row("PidsLimit", {"PidsLimit": 17}, group("pids", "pids.max", "pids.max"), "^17$",
        facility="pids"),
    Row("Ulimits", {"Ulimits": [{"Name": "nofile", "Soft": 100, "Hard": 200}]},
        inside("ulimit -Sn; ulimit -Hn"), r"^100\n200\n$"),
    Row("Ulimits", {"Ulimits": [{"Name": "nosuch", "Soft": 1, "Hard": 1}]}, refused,
        "(?i)nosuch"),
    Row("CpuCount", {"CpuCount": 1}, warned, "CPU count discarded"),
    Row("CpuPercent", {"CpuPercent": 50}, warned, "CPU percent discarded"),
    Row("IOMaximumIOps", {"IOMaximumIOps": 10}, warned, "Maximum IOps discarded"),
    Row("IOMaximumBandwidth", {"IOMaximumBandwidth": 10}, warned, "Maximum bandwidth discarded"),
    # Files
    Row("Binds", {"Binds": ["{dir}:/bound:ro"]}, inside("cat /bound/here; : > /bound/x"),
        "from the host(.|\n)*Read-only file system"),
    Row("Binds", {"Binds": ["relative/path:/bound"]}, refused, "400: .*invalid characters"),
    Row("ContainerIDFile", {"ContainerIDFile": "/tmp/id"}, shown("HostConfig", "ContainerIDFile"),
        "/tmp/id"),
    Row("VolumeDriver", {"VolumeDriver": "nosuch", "Binds": ["named-volume:/v"]}, refused,
        '404: .*plugin "nosuch" not found'),
    Row("VolumesFrom", {"VolumesFrom": ["{peer}:ro"]}, inside("grep ' /peer ' /proc/mounts"),
        r" /peer \S+ ro"),
    Row("VolumesFrom", {"VolumesFrom": ["nosuch"]}, refused, "No such container: nosuch"),
    Row("Tmpfs", {"Tmpfs": {"/t": "size=65536,exec"}}, inside("grep ' /t ' /proc/mounts"),
        "tmpfs /t tmpfs rw,nosuid,nodev,relatime,size=64k"),
    Row("Mounts", {"Mounts": [{"Type": "bind", "Source": "{dir}", "Target": "/m",
                               "ReadOnly": True}]},
        inside("cat /m/here; : > /m/x"), "from the host(.|\n)*Read-only file system"),
    Row("Mounts", {"Mounts": [{"Type": "tmpfs", "Target": "/m", "TmpfsOptions": {
        "SizeBytes": 65536, "Mode": 0o700, "Options": [["exec"], ["uid", "7"]]}}]},
        inside("grep ' /m ' /proc/mounts"), "nodev,relatime,size=64k,mode=700,uid=7"),
    Row("Mounts", {"Mounts": [{"Type": "tmpfs", "Target": "/m", "TmpfsOptions": {
        "Options": [["bogus"]]}}]}, refused, '400: invalid option: "bogus"'),
    Row("Mounts", {"Mounts": [{"Type": "volume", "Source": "sub", "Target": "/m",
                               "VolumeOptions": {"Labels": {"a": "b"}}}]},
        inside("grep ' /m ' /proc/mounts"), " /m "),
    Row("Mounts", {"Mounts": [{"Type": "bind", "Source": "{dir}", "Target": "/m",
                               "BindOptions": {"Propagation": "rslave"}}]},
        inside("grep ' /m ' /proc/self/mountinfo"), "master:"),
    Row("Mounts", {"Mounts": [{"Type": "bind", "Source": "{dir}", "Target": "/m",
                               "BindOptions": {"Propagation": "bogus"}}]}, refused,
        "400: .*invalid propagation mode: bogus"),
    Row("Mounts", {"Mounts": [{"Type": "bogus", "Target": "/m"}]}, refused,
        '400: invalid mount config for type "bogus": mount type unknown'),
    Row("ReadonlyRootfs", {"ReadonlyRootfs": True}, inside(": > /file"),
        "Read-only file system"),
    Row("StorageOpt", {"StorageOpt": {"size": "1G"}}, refused,
        "400: --storage-opt is supported only for"),
    Row("ShmSize", {"ShmSize": 2 * MIB}, inside("grep ' /dev/shm ' /proc/mounts"), "size=2048k"),
    Row("ShmSize", {"ShmSize": -1}, refused, "400: SHM size can not be less than 0"),
    Row("MaskedPaths", {"MaskedPaths": ["/proc/uptime"]}, inside("wc -c < /proc/uptime"), "^0$"),
    Row("MaskedPaths", {"MaskedPaths": []},
        inside("grep -cE ' /proc/(acpi|keys|kcore|timer_list|interrupts) ' /proc/mounts"), "^0"),
    Row("ReadonlyPaths", {"ReadonlyPaths": ["/home"]}, inside(": > /home/x"),
        "Read-only file system"),
    # Networks
    Row("NetworkMode", {"NetworkMode": "none"}, inside("ls /sys/class/net"), r"^lo\n$"),
    Row("NetworkMode", {"NetworkMode": "host"}, namespace("net"), "^host$"),
    Row("NetworkMode", {"NetworkMode": "container:{peer}"}, namespace("net"), "^peer$"),
    Row("NetworkMode", {"NetworkMode": "nosuch"}, refused, "404: .*network nosuch not found"),
    Row("PortBindings", {"PortBindings": {"80/tcp": [{"HostIp": "127.0.0.1"}]}}, published,
        "served"),
    Row("PortBindings", {"PortBindings": {"99999/tcp": [{}]}}, refused, "400: invalid port"),
    Row("PublishAllPorts", {"PublishAllPorts": True}, published, "served"),
    Row("Dns", {"Dns": ["192.0.2.7"]}, inside("cat /etc/resolv.conf"), "nameserver 192.0.2.7"),
    Row("DnsOptions", {"DnsOptions": ["ndots:3"]}, inside("cat /etc/resolv.conf"),
        "options ndots:3"),
    Row("DnsSearch", {"DnsSearch": ["example.org"]}, inside("cat /etc/resolv.conf"),
        "search example.org"),
    Row("ExtraHosts", {"ExtraHosts": ["there:192.0.2.9"]}, inside("cat /etc/hosts"),
        "192.0.2.9\tthere"),
    Row("ExtraHosts", {"ExtraHosts": ["there"]}, refused, "400: "),
    Row("Links", {"Links": ["{peer}:friend"]}, inside("grep friend /etc/hosts"), r"\d+\.\d+"),
    Row("Links", {"Links": ["nosuch:friend"]}, refused, "(?i)no such container|nosuch"),
    # Life
    Row("LogConfig", {"LogConfig": {"Type": "none"}}, log_file, "no file"),
    Row("LogConfig", {"LogConfig": {"Type": "json-file", "Config": {
        "labels": "a", "env-regex": "^FO", "labels-regex": "^b"}}}, log_file,
        '"attrs":{"a":"1","bc":"2","FOO":"3"}',
        {"Labels": {"a": "1", "bc": "2"}, "Env": ["FOO=3", "OTHER=4"]}),
    Row("LogConfig", {"LogConfig": {"Type": "bogus"}}, refused,
        'logging plugin bogus: plugin "bogus" not found'),
    Row("RestartPolicy", {"RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 1}},
        restarted, "2 ends, count 1, exited"),
    Row("RestartPolicy", {"RestartPolicy": {"Name": "bogus"}}, refused,
        "400: invalid restart policy"),
    Row("AutoRemove", {"AutoRemove": True}, auto_removed, "404: No such container"),
    Row("ConsoleSize", {"ConsoleSize": [33, 77]}, inside("stty size"), "^33 77", {"Tty": True}),
    Row("Annotations", {"Annotations": {"key": "value"}}, shown("HostConfig", "Annotations"),
        '{"key": "value"}'),
    Row("Init", {"Init": True}, inside("cat /proc/1/cmdline"), "docker-init"),
    Row("Runtime", {"Runtime": "bogus"}, refused, "400: unknown or invalid runtime name: bogus"),
    Row("Isolation", {"Isolation": "hyperv"}, refused, "400: invalid isolation"),
    # Privileges
    Row("CapAdd", {"CapAdd": ["NET_ADMIN"], "CapDrop": ["ALL"]},
        inside("grep CapEff /proc/self/status"), "0000000000001000"),
    Row("CapAdd", {"CapAdd": ["BOGUS"]}, refused,
        '400: invalid CapAdd: unknown capability: "CAP_BOGUS"'),
    Row("CapDrop", {"CapDrop": ["ALL"]}, inside("grep CapEff /proc/self/status"),
        "0000000000000000"),
    Row("GroupAdd", {"GroupAdd": ["4711"]}, inside("grep Groups /proc/self/status"), "4711"),
    Row("OomScoreAdj", {"OomScoreAdj": 500}, inside("cat /proc/self/oom_score_adj"), "^500$"),
    Row("OomScoreAdj", {"OomScoreAdj": 5000}, refused, "400: Invalid value 5000"),
    Row("Privileged", {"Privileged": True},
        inside("grep Seccomp: /proc/self/status; mount -t tmpfs t /tmp && echo mounted"),
        "Seccomp:\t0\nmounted"),
    Row("SecurityOpt", {"SecurityOpt": ["no-new-privileges"]},
        inside("grep NoNewPrivs /proc/self/status"), "NoNewPrivs:\t1"),
    Row("SecurityOpt", {"SecurityOpt": ["seccomp=unconfined"]},
        inside("grep Seccomp: /proc/self/status"), "Seccomp:\t0"),
    Row("SecurityOpt", {"SecurityOpt": ["systempaths=unconfined"]},
        inside("grep -c ' /proc/' /proc/mounts"), "^0$|^0\n"),
    Row("SecurityOpt", {"SecurityOpt": ["bogus=1"]}, refused, "400: invalid --security-opt"),
    Row("Sysctls", {"Sysctls": {"net.ipv4.ip_default_ttl": "42"}},
        inside("cat /proc/sys/net/ipv4/ip_default_ttl"), "^42$"),
    Row("Sysctls", {"Sysctls": {"kernel.panic": "1"}}, refused, "not whitelisted|separate"),
    # Namespaces
    Row("CgroupnsMode", {"CgroupnsMode": "private"}, namespace("cgroup"), "^own$"),
    Row("CgroupnsMode", {"CgroupnsMode": "host"}, namespace("cgroup"), "^host$"),
    Row("IpcMode", {"IpcMode": "host"}, namespace("ipc"), "^host$"),
    Row("IpcMode", {"IpcMode": "container:{peer}"}, namespace("ipc"), "^peer$"),
    Row("IpcMode", {"IpcMode": "none"}, inside("grep -c ' /dev/shm ' /proc/mounts"), "^0"),
    Row("PidMode", {"PidMode": "host"}, namespace("pid"), "^host$"),
    Row("PidMode", {"PidMode": "container:{peer}"}, namespace("pid"), "^peer$"),
    Row("UTSMode", {"UTSMode": "host"}, namespace("uts"), "^host$"),
    Row("UTSMode", {"UTSMode": "bogus"}, refused, "400: invalid UTS mode: bogus"),
    Row("UsernsMode", {"UsernsMode": "host"}, namespace("user"), "^host$"),
    Row("UsernsMode", {"UsernsMode": "bogus"}, refused, "400: invalid userns mode: bogus"),
    Row("Cgroup", {"Cgroup": "container:{peer}"}, refused, "400: invalid cgroup"),
)  # fmt: skip

CONTAINER_CONFIG: tuple[Row, ...] = (
    Row("Hostname", {}, inside("hostname; cat /etc/hostname"), "^named\nnamed\n$",
        {"Hostname": "named"}),
    Row("Domainname", {}, inside("cat /proc/sys/kernel/domainname; cat /etc/hosts"),
        "^example.org\n(.|\n)*named.example.org named",
        {"Hostname": "named", "Domainname": "example.org"}),
    Row("User", {}, inside("id -u; id -g"), "^1000\n1000\n$", {"User": "joe"}),
    Row("User", {}, refused, "unable to find user bogus", {"User": "bogus"}),
    Row("AttachStdin", {}, shown("Config", "AttachStdin"), "true", {"AttachStdin": True}),
    Row("AttachStdout", {}, shown("Config", "AttachStdout"), "true", {"AttachStdout": True}),
    Row("AttachStderr", {}, shown("Config", "AttachStderr"), "true", {"AttachStderr": True}),
    Row("ExposedPorts", {"PublishAllPorts": True}, published, "served",
        {"ExposedPorts": {"80/tcp": {}}}),
    Row("ExposedPorts", {}, refused, "400: invalid port", {"ExposedPorts": {"x": {}}}),
    Row("Tty", {}, inside("tty"), "/dev/(pts/|console)", {"Tty": True}),
    Row("OpenStdin", {}, typed, "^typed\nrunning$", {"OpenStdin": True}),
    Row("StdinOnce", {}, typed, "^typed\nexited$", {"OpenStdin": True, "StdinOnce": True}),
    Row("Env", {}, inside("echo $GIVEN"), "^value\n$", {"Env": ["GIVEN=value"]}),
    Row("Env", {}, refused, "400: invalid environment variable", {"Env": ["=value"]}),
    Row("Cmd", {}, inside(), "^said\n$", {"Cmd": ["echo", "said"]}),
    Row("Healthcheck", {}, healthy, "^checked\n$", {"Healthcheck": {
        "Test": ["CMD", "echo", "checked"], "Interval": 100_000_000}}),
    Row("Healthcheck", {}, refused, "400: Interval in Healthcheck cannot be less than 1ms",
        {"Healthcheck": {"Test": ["CMD", "true"], "Interval": 1}}),
    Row("ArgsEscaped", {}, shown("Config", "ArgsEscaped"), "true", {"ArgsEscaped": True}),
    Row("Image", {}, refused, "404: No such image: nosuch", {"Image": "nosuch"}),
    Row("Volumes", {}, inside("grep ' /vol ' /proc/mounts"), " /vol ", {"Volumes": {"/vol": {}}}),
    Row("WorkingDir", {}, inside("pwd"), "^/home\n$", {"WorkingDir": "/home"}),
    Row("WorkingDir", {}, refused, "400: the working directory", {"WorkingDir": "home"}),
    Row("Entrypoint", {}, inside(), "^one two\n$", {"Entrypoint": ["echo", "one"], "Cmd": ["two"]}),
    Row("NetworkDisabled", {}, inside("ls /sys/class/net"), r"^lo\n$", {"NetworkDisabled": True}),
    Row("MacAddress", {}, inside("cat /sys/class/net/eth0/address"), "^02:42:00:00:00:99\n$",
        {"MacAddress": "02:42:00:00:00:99"}),
    Row("OnBuild", {}, shown("Config", "OnBuild"), "RUN true", {"OnBuild": ["RUN true"]}),
    Row("Labels", {}, shown("Config", "Labels"), '{"a": "b"}', {"Labels": {"a": "b"}}),
    Row("StopSignal", {}, stopped_with, r"got USR1\n\[exit 5\]", {"StopSignal": "SIGUSR1"}),
    Row("StopSignal", {}, refused, "400: invalid signal: BOGUS", {"StopSignal": "BOGUS"}),
    Row("StopTimeout", {}, stopped_with, r"ready\n\[exit 137\]", {"StopTimeout": 0}),
    Row("Shell", {}, healthy, "checked by -c command", {"Shell": ["echo", "checked by", "-c"],
        "Healthcheck": {"Test": ["CMD-SHELL", "command"], "Interval": 100_000_000}}),
)  # fmt: skip


def json_names(struct: type[msgspec.Struct]) -> set[str]:
    return {field.encode_name for field in msgspec.structs.fields(struct)}


@pytest.fixture(scope="module")
def place(engine: Engine) -> Iterator[Place]:
    with tempfile.TemporaryDirectory() as directory:
        mount(directory, directory, "", MS_BIND)
        try:
            mount("none", directory, "", MS_SHARED)
            Path(directory, "here").write_text("from the host\n")
            yield Place(engine, Path(directory))
        finally:
            umount2(directory, MNT_DETACH)
    for hierarchy in LAYOUT.hierarchies():
        with contextlib.suppress(FileNotFoundError):
            os.rmdir(f"{hierarchy}/wherry-test-parent")


def _name(row: Row) -> str:
    return row.field


@pytest.mark.parametrize("row", [*HOST_CONFIG, *CONTAINER_CONFIG], ids=_name)
def test_a_field_has_the_effect_that_its_row_says(place: Place, row: Row) -> None:
    see, expected = row.see, row.expected
    if row.facility and row.facility not in find_facilities(LAYOUT):
        see, expected = (warned if row.otherwise == "discarded" else refused), row.otherwise
    host, config = place.fill(row.host), place.fill(dict(row.config))
    try:
        seen = see(place, host, config)
    finally:
        place.clean()
    assert re.search(place.fill(expected), seen), seen


@pytest.mark.parametrize(
    ("table", "struct"), [(HOST_CONFIG, HostConfig), (CONTAINER_CONFIG, ContainerConfig)]
)
def test_every_field_has_a_row(table: tuple[Row, ...], struct: type[msgspec.Struct]) -> None:
    assert {row.field for row in table} == json_names(struct)
