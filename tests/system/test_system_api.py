"""The engine as a whole: pings, versions, information, events, disk usage, prunes."""

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.support.api import Api
from tests.support.engine import Engine
from tests.support.patience import patience


@pytest.fixture(scope="module")
def api(engine: Engine) -> Api:
    return Api(engine.socket, "v1.51")


def at(engine: Engine, version: str) -> Api:
    return Api(engine.socket, version)


def answer(
    engine: Engine, method: str, path: str, headers: dict[str, str] | None = None
) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body; the path is taken as it is."""
    connection = http.client.HTTPConnection("engine")
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.settimeout(30)
    connection.sock.connect(str(engine.socket))
    try:
        connection.request(method, path, headers=headers or {})
        found = connection.getresponse()
        return found.status, dict(found.getheaders()), found.read()
    finally:
        connection.close()


def filters(**values: list[str]) -> str:
    return f"filters={quote(json.dumps(values))}"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("path", ["/_ping", "/v1.41/_ping"])
def test_a_ping_tells_all_that_a_client_has_to_know(engine: Engine, method: str, path: str) -> None:
    status, headers, body = answer(engine, method, path)
    assert (status, body) == (200, b"OK" if method == "GET" else b"")
    expected = {
        "Api-Version": "1.55", "Docker-Experimental": "false", "Ostype": "linux",
        "Builder-Version": "1", "Swarm": "inactive", "Pragma": "no-cache",
        "Cache-Control": "no-cache, no-store, must-revalidate",
        "Content-Type": "text/plain; charset=utf-8",
    }  # fmt: skip
    assert expected.items() <= headers.items()
    assert headers["Server"].startswith("Wherry/")


def test_paths_without_a_version_speak_the_newest(engine: Engine) -> None:
    for path in ("/version", "/v1.55/version"):
        status, _, body = answer(engine, "GET", path)
        assert status == 200
        told = json.loads(body)
        assert (told["ApiVersion"], told["MinAPIVersion"]) == ("1.55", "1.24")
        assert told["Components"][0]["Details"]["ApiVersion"] == "1.55"


def test_the_description_of_the_api_is_served(engine: Engine) -> None:
    _, _, body = answer(engine, "GET", "/openapi.json")
    assert "/containers/{id}/json" in json.loads(body)["paths"]


@pytest.mark.parametrize(
    ("version", "present", "absent"),
    [
        ("v1.41", {"KernelMemory", "BridgeNfIptables"}, {"FirewallBackend"}),
        ("v1.48", {"BridgeNfIptables"}, {"KernelMemory", "FirewallBackend"}),
        ("v1.49", {"BridgeNfIptables", "FirewallBackend"}, {"KernelMemory"}),
        ("v1.50", {"FirewallBackend"}, {"BridgeNfIptables", "BridgeNfIp6tables"}),
    ],
)  # fmt: skip
def test_information_has_the_fields_of_its_version(
    engine: Engine, version: str, present: set[str], absent: set[str]
) -> None:
    told = at(engine, version).get("/info")
    assert present <= told.keys()
    assert not absent & told.keys()
    assert ("Expected" in told["RuncCommit"]) == (version < "v1.49")
    registries = told["RegistryConfig"]
    assert ("AllowNondistributableArtifactsCIDRs" in registries) == (version < "v1.47")


@pytest.fixture(scope="module")
def past(engine: Engine, api: Api) -> int:
    """Events of two containers have happened since the time that this is, in seconds."""
    since = int(time.time())
    for name, label in (("first", "a"), ("second", "b")):
        body = {"Image": "busybox", "Cmd": ["true"], "Labels": {"which": label}}
        api.post(f"/containers/create?name={name}", body)
        api.post(f"/containers/{name}/start")
        api.post(f"/containers/{name}/wait")
        api.delete(f"/containers/{name}")
    return since


def events(engine: Engine, version: str, query: str) -> list[dict[str, Any]]:
    body = at(engine, version).raw("GET", f"/events?{query}")
    return [json.loads(line) for line in body.splitlines()]


@pytest.mark.parametrize(
    ("wanted", "actions"),
    [
        ({"container": ["first"]}, {"create", "start", "die", "destroy", "attach"}),
        ({"type": ["network"]}, {"connect", "disconnect"}),
        ({"event": ["start", "die"]}, {"start", "die"}),
        ({"event": ["start"], "label": ["which=b"]}, {"start"}),
        ({"image": ["busybox"], "event": ["create"]}, {"create"}),
        ({"scope": ["swarm"]}, set()),
    ],
)  # fmt: skip
def test_past_events_pass_the_filters(
    engine: Engine, past: int, wanted: dict[str, list[str]], actions: set[str]
) -> None:
    found = events(engine, "v1.51", f"since={past}&until={time.time():.9f}&{filters(**wanted)}")
    assert {event["Action"] for event in found} <= actions
    assert bool(found) == bool(actions)
    if "label" in wanted:
        assert {event["Actor"]["Attributes"]["which"] for event in found} == {"b"}


def test_events_come_in_the_framing_that_is_asked_for(engine: Engine, past: int) -> None:
    path = f"/events?since={past}&until={past + 1}.5&{filters(type=['container'])}"
    for version, accept, kind, separator in (
        ("v1.51", "", "application/json", b""),
        ("v1.52", "", "application/jsonl", b""),
        ("v1.52", "application/x-ndjson", "application/x-ndjson", b""),
        ("v1.55", "application/json-seq", "application/json-seq", b"\x1e"),
    ):
        headers = {"Accept": accept} if accept else {}
        _, told, body = answer(engine, "GET", f"/{version}{path}", headers)
        assert told["Content-Type"] == kind
        lines = body.splitlines()
        assert lines
        assert all(line.startswith(separator + b"{") for line in lines)
        assert ("status" in json.loads(lines[0].removeprefix(b"\x1e"))) == (version < "v1.52")


def test_events_until_a_time_to_come_end_then(engine: Engine, api: Api) -> None:
    found = events(engine, "v1.51", f"since={time.time():.9f}&until={time.time() + 0.3:.9f}")
    assert found == []


@pytest.fixture
def filled(engine: Engine, api: Api) -> Iterator[Api]:
    """Two containers, one of them running, with a mebibyte each; a volume with two."""
    write = "dd if=/dev/zero of=/big bs=1M count=1; dd if=/dev/zero of=/v/big bs=1M count=2; echo x"
    for name, tail in (("full", ""), ("busy", "; exec sleep 1000")):
        body = {"Image": "busybox", "Cmd": ["sh", "-c", write + tail],
                "HostConfig": {"Binds": ["stuff:/v"], "Init": True}}  # fmt: skip
        api.post(f"/containers/create?name={name}", body)
        api.post(f"/containers/{name}/start")
    api.post("/containers/full/wait")
    while not api.raw("GET", "/containers/busy/logs?stdout=1"):
        time.sleep(0.05)
    yield api
    for name in ("full", "busy"):
        api.delete(f"/containers/{name}?force=1")
    api.delete("/volumes/stuff")


def test_disk_usage_counts_images_containers_and_volumes(engine: Engine, filled: Api) -> None:
    told = filled.get("/system/df")
    assert told["LayersSize"] > 1_000_000
    image = next(item for item in told["Images"] if "busybox:latest" in item["RepoTags"])
    assert (image["Containers"], image["SharedSize"]) == (2, 0)
    sizes = {item["Names"][0]: item["SizeRw"] for item in told["Containers"]}
    assert set(sizes) == {"/full", "/busy"}
    assert all(1 << 20 <= size < 2 << 20 for size in sizes.values())
    assert told["Volumes"][0]["UsageData"] == {"Size": 2 << 20, "RefCount": 2}
    assert told["BuildCache"] == []
    only = filled.get("/system/df?type=volume")
    assert set(only) == {"Volumes"}
    newer = at(engine, "v1.55").get("/system/df?verbose=1")
    assert not {"Images", "LayersSize"} & newer.keys()
    usage = newer["ContainerUsage"]
    assert (usage["TotalCount"], usage["ActiveCount"]) == (2, 1)
    assert usage["Reclaimable"] == sizes["/full"]
    assert usage["TotalSize"] == sum(sizes.values())
    assert len(newer["ImageUsage"]["Items"]) == newer["ImageUsage"]["TotalCount"]
    assert "Items" not in at(engine, "v1.55").get("/system/df")["VolumeUsage"]


def files_below(path: Path) -> int:
    """Bytes of all files, hard links once."""
    seen: dict[tuple[int, int], int] = {}
    for directory, _, names in os.walk(path):
        for name in names:
            found = os.lstat(f"{directory}/{name}")
            seen[found.st_dev, found.st_ino] = found.st_size
    return sum(seen.values())


def test_disk_usage_accounts_for_every_byte_of_the_data_root_orphans_included(
    engine: Engine, filled: Api
) -> None:
    orphan = engine.data / "containers" / ("0" * 64)
    orphan.mkdir()
    (orphan / "left.log").write_bytes(b"x" * 50_000)
    time.sleep(1.1)  # what was measured before is taken to be true for a second
    account = filled.get("/system/df")["DataRoot"]
    assert account["Orphans"] == [{"Path": str(orphan), "Size": 50_000}]
    assert account["Logs"] >= 50_000
    assert account["Volumes"] == 2 << 20
    parts = {key: value for key, value in account.items() if key not in ("Path", "Size", "Orphans")}
    assert sum(parts.values()) == account["Size"]
    # A log, or the records' journal, may have grown between the two looks.
    assert abs(account["Size"] - files_below(engine.data)) < 100_000
    shown = subprocess.run(
        [Path(sys.executable).parent / "wherry", "system", "df", "-v"], env=engine.environment(),
        capture_output=True, text=True, check=True, timeout=patience(60),
    ).stdout  # fmt: skip
    assert f"in {engine.data}\n\nCONTENT" in shown
    assert [line.split() for line in shown.splitlines()][-2:] == [
        ["BELONGS", "TO", "NOTHING", "SIZE"],
        [str(orphan), "50kB"],
    ]
    (orphan / "left.log").unlink()
    orphan.rmdir()


def test_prunes_spare_what_their_filters_exclude(engine: Engine, api: Api) -> None:
    for name, labels in (("keep", {"keep": "1"}), ("lose", {})):
        api.post(f"/containers/create?name={name}", {"Image": "busybox", "Labels": labels})
        api.post("/volumes/create", {"Name": name, "Labels": labels})
        api.post("/networks/create", {"Name": name, "Labels": labels})
    spare = {"label!": ["keep"]}
    since = f"{time.time():.9f}"
    assert api.post(f"/containers/prune?{filters(until=['1h'])}")["ContainersDeleted"] is None
    pruned = api.post(f"/containers/prune?{filters(**spare)}")["ContainersDeleted"]
    assert len(pruned) == 1
    assert api.post(f"/networks/prune?{filters(**spare)}")["NetworksDeleted"] == ["lose"]
    chosen = filters(all=["true"], **spare)
    assert api.post(f"/volumes/prune?{chosen}")["VolumesDeleted"] == ["lose"]
    told = events(
        engine, "v1.51", f"since={since}&until={time.time():.9f}&{filters(event=['prune'])}"
    )
    assert [event["Type"] for event in told] == ["container", "container", "network", "volume"]
    assert all("reclaimed" in event["Actor"]["Attributes"] for event in told)
    api.delete("/containers/keep")
    api.delete("/volumes/keep")
    api.delete("/networks/keep")


def test_a_container_is_shown_as_its_version_has_it(engine: Engine, filled: Api) -> None:
    old, new = at(engine, "v1.51"), at(engine, "v1.52")
    before, after = old.get("/containers/busy/json"), new.get("/containers/busy/json")
    gone = {"Bridge", "HairpinMode", "EndpointID", "Gateway", "IPAddress", "MacAddress"}
    assert gone <= before["NetworkSettings"].keys()
    assert after["NetworkSettings"].keys() == {"SandboxID", "SandboxKey", "Ports", "Networks"}
    networks = before["NetworkSettings"]["Networks"]
    assert before["NetworkSettings"]["IPAddress"] == networks["bridge"]["IPAddress"]
    assert "KernelMemory" in at(engine, "v1.41").get("/containers/busy/json")["HostConfig"]
    assert "Health" not in old.get("/containers/json")[0]
    assert new.get("/containers/json")[0]["Health"] == {"Status": "none", "FailingStreak": 0}


def test_lists_and_samples_have_the_fields_of_their_version(engine: Engine, filled: Api) -> None:
    for version, endpoint, sample in (
        ("v1.43", set(), set()), ("v1.44", {"DNSNames"}, set()),
        ("v1.51", {"DNSNames", "GwPriority"}, set()),
        ("v1.52", {"DNSNames", "GwPriority"}, {"os_type"}),
    ):  # fmt: skip
        api = at(engine, version)
        listed = api.get("/containers/json")[0]["NetworkSettings"]["Networks"]["bridge"]
        assert listed.keys() & {"DNSNames", "GwPriority"} == endpoint
        counted = api.get("/system/df")["Containers"][0]
        assert ("Health" in counted) == (version == "v1.52")
        read = api.get("/containers/busy/stats?stream=0&one-shot=1")
        assert read.keys() & {"os_type"} == sample


def test_a_network_tells_how_full_it_is_since_1_52(engine: Engine, filled: Api) -> None:
    assert "Status" not in at(engine, "v1.51").get("/networks/bridge")
    assert "EnableIPv4" not in at(engine, "v1.47").get("/networks/bridge")
    shown = at(engine, "v1.52").get("/networks/bridge")
    subnets = shown["Status"]["IPAM"]["Subnets"]
    # The network's own address, the last one, the gateway's, and those of `busy`.
    full = {"IPsInUse": 4, "DynamicIPsAvailable": (1 << 16) - 4}
    assert subnets == {shown["IPAM"]["Config"][0]["Subnet"]: full}
