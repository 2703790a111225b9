"""Containers in lists and in inspect, by version of the API; filters of lists."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from wherry.api.container_views import config_view, host_config_view, inspect_view
from wherry.base.clock import parse_rfc3339
from wherry.base.errors import InvalidParameter
from wherry.engine.containers.container import Container, Health, MountPoint, Record, State
from wherry.engine.containers.index import ContainerIndex
from wherry.engine.containers.inspect import Inspected
from wherry.engine.containers.list import ListContainers
from wherry.engine.containers.summary import (
    command_line,
    human_duration,
    mount_summaries,
    port_summaries,
    status_line,
)
from wherry.images.catalog import ImageCatalog
from wherry.model.docker.container import ContainerConfig, EndpointSettings, HostConfig
from wherry.network.endpoint import Endpoint, PublishedPort
from wherry.store.records.database import Database

RUN = "2026-01-01T00:00:00Z"


def record(letter: str = "a", **fields: Any) -> Record:
    values: dict[str, Any] = {
        "id": letter * 64, "name": f"name-{letter}",
        "created": f"2026-01-0{ord(letter) - 96}T00:00:00Z",
        "image_id": "sha256:" + "b" * 64, "image": "busybox", "config": ContainerConfig(),
        "host": HostConfig(), "path": "sh", "args": ("-c", "echo hi"),
    }  # fmt: skip
    return Record(**{**values, **fields})


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "Less than a second"), (1, "1 second"), (59, "59 seconds"), (60, "About a minute"),
        (120, "2 minutes"), (3600, "About an hour"), (7200, "2 hours"), (3 * 86400, "3 days"),
        (15 * 86400, "2 weeks"), (90 * 86400, "3 months"), (800 * 86400, "2 years"),
    ],
)  # fmt: skip
def test_durations_read_as_dockers(seconds: int, text: str) -> None:
    assert human_duration(seconds) == text


@pytest.mark.parametrize(
    ("state", "health", "line"),
    [
        (State("created"), None, "Created"),
        (State("running", started_at=RUN), None, "Up 5 seconds"),
        (State("running", started_at=RUN), "starting", "Up 5 seconds (health: starting)"),
        (State("running", started_at=RUN), "healthy", "Up 5 seconds (healthy)"),
        (State("paused", started_at=RUN), None, "Up 5 seconds (Paused)"),
        (State("restarting", exit_code=2, started_at=RUN, finished_at=RUN), None,
         "Restarting (2) 5 seconds ago"),
        (State("exited", exit_code=137, started_at=RUN, finished_at=RUN), None,
         "Exited (137) 5 seconds ago"),
    ],
)  # fmt: skip
def test_the_status_line_is_dockers(state: State, health: str | None, line: str) -> None:
    container = Container(record(state=state))
    if health:
        container.health = Health()
        container.health.status = health
    assert status_line(container, parse_rfc3339(RUN) + 5 * 10**9) == line


def test_words_with_spaces_are_quoted_in_the_command() -> None:
    assert command_line(record()) == "sh -c 'echo hi'"


def test_published_ports_come_before_exposed_ones() -> None:
    port = PublishedPort(80, "tcp", "0.0.0.0", 8080)
    endpoint = Endpoint("n", "bridge", "e", "a" * 64, "one", "eth0", ports=(port,))
    config = ContainerConfig(exposed_ports={"80/tcp": {}, "53/udp": {}})
    shown = port_summaries(record(config=config, endpoints=(endpoint,)))
    assert msgspec.to_builtins(shown) == [
        {"IP": "0.0.0.0", "PrivatePort": 80, "PublicPort": 8080, "Type": "tcp"},
        {"PrivatePort": 53, "Type": "udp"},
    ]


def test_mounts_of_tmpfs_flags_are_only_in_the_host_configuration() -> None:
    points = (
        MountPoint("tmpfs", "/run"),
        MountPoint("tmpfs", "/cache"),
        MountPoint("volume", "/data", "/v/_data", "v", "z"),
    )
    shown = mount_summaries(record(mounts=points, host=HostConfig(tmpfs={"/run": ""})))
    assert [item.destination for item in shown] == ["/cache", "/data"]
    assert msgspec.to_builtins(shown[1]) == {
        "Type": "volume", "Name": "v", "Source": "/v/_data", "Destination": "/data",
        "Driver": "local", "Mode": "z", "RW": True, "Propagation": "",
    }  # fmt: skip


def view_of(container: Container, version: tuple[int, int]) -> dict[str, Any]:
    found = Inspected(container, "/c", "overlay2", {"UpperDir": "/u"}, None)
    decoded: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(inspect_view(found, version)))
    return decoded


def test_inspect_has_dockers_fields_in_dockers_order() -> None:
    view = view_of(Container(record(state=State("running", pid=7, started_at=RUN))), (1, 51))
    assert list(view) == [
        "Id", "Created", "Path", "Args", "State", "Image", "ResolvConfPath", "HostnamePath",
        "HostsPath", "LogPath", "Name", "RestartCount", "Driver", "Platform", "MountLabel",
        "ProcessLabel", "AppArmorProfile", "ExecIDs", "HostConfig", "GraphDriver", "Mounts",
        "Config", "NetworkSettings",
    ]  # fmt: skip
    assert view["State"]["Running"] is True
    assert view["Name"] == "/name-a"


def test_what_go_omits_when_empty_is_not_there() -> None:
    host = host_config_view(HostConfig(), (1, 51))
    for key in ("Annotations", "StorageOpt", "Tmpfs", "Sysctls", "Mounts", "Init"):
        assert key not in host
    assert host["Dns"] == []
    assert host["CapAdd"] is None
    assert host["PortBindings"] == {}
    assert "/proc/kcore" in host["MaskedPaths"]  # type: ignore[operator] # a list in this view
    config = config_view(ContainerConfig(), (1, 51))
    for key in ("ExposedPorts", "Healthcheck", "StopSignal", "StopTimeout", "Shell", "MacAddress"):
        assert key not in config
    assert config["Labels"] == {}


def test_what_was_given_is_shown_even_if_false_or_zero() -> None:
    assert host_config_view(HostConfig(init=False), (1, 51))["Init"] is False
    assert config_view(ContainerConfig(stop_timeout=0), (1, 51))["StopTimeout"] == 0


@pytest.mark.parametrize(
    ("version", "present", "absent"),
    [((1, 41), set(), {"DNSNames", "GwPriority"}), ((1, 44), {"DNSNames"}, {"GwPriority"}),
     ((1, 48), {"DNSNames", "GwPriority"}, set())],
)  # fmt: skip
def test_fields_of_endpoints_come_with_their_version(
    version: tuple[int, int], present: set[str], absent: set[str]
) -> None:
    container = Container(record(networks={"mine": EndpointSettings(aliases=["db"])}))
    shown = set(view_of(container, version)["NetworkSettings"]["Networks"]["mine"])
    assert present <= shown
    assert not absent & shown


def test_old_versions_find_the_short_id_among_the_aliases() -> None:
    container = Container(record(networks={"mine": EndpointSettings(aliases=["db"])}))
    old = view_of(container, (1, 43))["NetworkSettings"]["Networks"]["mine"]["Aliases"]
    new = view_of(container, (1, 45))["NetworkSettings"]["Networks"]["mine"]["Aliases"]
    assert old == ["db", "a" * 12]
    assert new == ["db"]


class Listed:
    """A list of three containers: c is the newest."""

    def __init__(self, root: Path) -> None:
        self.database = Database(root / "records.db")
        for item in (
            record("a", state=State("exited", exit_code=3, started_at=RUN),
                   config=ContainerConfig(labels={"tier": "db"})),
            record("b", state=State("running", started_at=RUN),
                   mounts=(MountPoint("volume", "/data", "/v", "vol"),)),
            record("c", networks={"mine": EndpointSettings()}),
        ):  # fmt: skip
            self.put(item)
        index = ContainerIndex(self.database)
        index.open()
        images = ImageCatalog(self.database)
        # Sizes are not asked for, so that no snapshot and no pool is touched.
        self.list = ListContainers(index, images, None, None)  # type: ignore[arg-type]

    def put(self, item: Record) -> None:
        from wherry.store.records.database import Put

        self.database.submit([Put("container", item.id, msgspec.json.encode(item))]).result(5)

    def names(self, filters: dict[str, list[str]], **options: Any) -> str:
        found = self.list.select(filters, **options)
        return "".join(container.name.removeprefix("name-") for container in found)


@pytest.mark.parametrize(
    ("filters", "everything", "names"),
    [
        ({}, False, "b"),
        ({}, True, "cba"),
        ({"status": ["created"]}, False, "c"),
        ({"status": ["exited", "running"]}, False, "ba"),
        ({"exited": ["3"]}, True, "a"),
        ({"exited": ["0"]}, True, ""),
        ({"name": ["name-b"]}, True, "b"),
        ({"name": ["^/name-[ab]$"]}, True, "ba"),
        ({"id": ["aaaa"]}, True, "a"),
        ({"label": ["tier=db"]}, True, "a"),
        ({"label": ["tier=web"]}, True, ""),
        ({"volume": ["vol"]}, True, "b"),
        ({"volume": ["/data"]}, True, "b"),
        ({"network": ["mine"]}, True, "c"),
        ({"before": ["name-b"]}, True, "a"),
        ({"since": ["name-b"]}, True, "c"),
        ({"health": ["none"]}, True, "cba"),
        ({"ancestor": ["nosuch"]}, True, ""),
        ({"is-task": ["false"]}, True, "cba"),
        ({"is-task": ["true"]}, True, ""),
        ({"publish": ["80"]}, True, ""),
    ],
)
def test_filters_choose_as_dockers(
    tmp_path: Path, filters: dict[str, list[str]], everything: bool, names: str
) -> None:
    listed = Listed(tmp_path)
    try:
        assert listed.names(filters, everything=everything) == names
    finally:
        listed.database.close()


def test_a_limit_shows_the_newest_in_any_state(tmp_path: Path) -> None:
    listed = Listed(tmp_path)
    try:
        assert listed.names({}, limit=2) == "cb"
    finally:
        listed.database.close()


@pytest.mark.parametrize(
    "filters", [{"odd": ["1"]}, {"status": ["odd"]}, {"health": ["odd"]}, {"exited": ["x"]}]
)
def test_an_unknown_filter_or_value_is_refused(
    tmp_path: Path, filters: dict[str, list[str]]
) -> None:
    listed = Listed(tmp_path)
    try:
        with pytest.raises(InvalidParameter, match="invalid filter"):
            listed.names(filters)
    finally:
        listed.database.close()
