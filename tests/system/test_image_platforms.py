"""Images of several platforms: what is shown, loaded, saved and removed of them."""

import io
import json
import tarfile
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from tests.support.api import Api, ApiError
from tests.support.engine import Engine
from tests.support.layers import Layout, entry, layer
from tests.support.needs import needs_program
from tests.support.registry import Registry

ARCHITECTURES = ("amd64", "arm64", "s390x")


@pytest.fixture(scope="module")
def registry() -> Iterator[Registry]:
    with Registry() as running:
        yield running


def several(name: str, *architectures: str) -> tuple[Layout, dict[str, Any], list[dict[str, Any]]]:
    """A layout with an index; its descriptor, and those of the images in it."""
    layout = Layout()
    images = [
        layout.image([layer(entry(f"{name}-{one}", b"x" * 5000))], architecture=one)
        for one in architectures or ARCHITECTURES
    ]
    top = layout.index(images)
    layout.name(top, name)
    return layout, top, images


def as_json(architecture: str) -> str:
    return quote(json.dumps({"os": "linux", "architecture": architecture}))


def members(archive: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        found = {}
        for item in opened:
            file = opened.extractfile(item)
            found[item.name] = file.read() if file else b""
        return found


def test_an_index_is_one_row_with_its_manifests(engine: Engine) -> None:
    layout, top, images = several("rows:1")
    engine.docker("load", stdin=layout.archive())
    api = Api(engine.socket)
    rows = [row for row in api.get("/images/json?manifests=1") if row["RepoTags"] == ["rows:1"]]
    assert len(rows) == 1
    assert rows[0]["Descriptor"]["digest"] == top["digest"]
    found = rows[0]["Manifests"]
    assert [item["ID"] for item in found] == [image["digest"] for image in images]
    assert all(item["Available"] and item["Kind"] == "image" for item in found)
    assert [item["ImageData"]["Platform"]["architecture"] for item in found] == [*ARCHITECTURES]
    for item in found:
        assert item["Size"]["Total"] == (
            item["Size"]["Content"] + item["ImageData"]["Size"]["Unpacked"]
        )
        assert item["ImageData"]["Size"]["Unpacked"] == 5000
    assert "Manifests" not in api.get("/images/json")[0]
    shown = api.get("/images/rows:1/json?manifests=1")
    assert shown["Manifests"] == found
    assert shown["Architecture"] == "amd64"
    assert len(api.get("/images/json?all=1")) == len(api.get("/images/json")) + 2
    tree = engine.docker("images", "--tree").stdout
    assert "linux/arm64" in tree
    engine.docker("rmi", "rows:1")
    assert engine.docker("images", "-aq", "rows").stdout == ""


def test_a_platform_is_inspected_and_run_by_its_name(engine: Engine) -> None:
    layout, _, _ = several("shown:1")
    engine.docker("load", stdin=layout.archive())
    api = Api(engine.socket)
    shown = api.get(f"/images/shown:1/json?platform={as_json('arm64')}")
    assert shown["Architecture"] == "arm64"
    history = api.get(f"/images/shown:1/history?platform={as_json('s390x')}")
    assert history[0]["Id"] != api.get("/images/shown:1/history")[0]["Id"]
    with pytest.raises(ApiError) as raised:
        api.get(f"/images/shown:1/json?platform={as_json('riscv64')}")
    assert raised.value.status == 404
    assert raised.value.message == (
        "image with reference shown:1 was found but does not provide the specified platform "
        "(linux/riscv64)"
    )
    with pytest.raises(ApiError) as raised:
        api.get(f"/images/shown:1/json?manifests=1&platform={as_json('arm64')}")
    assert raised.value.status == 400
    body = {"Image": "shown:1", "Cmd": ["x"]}
    made = api.post("/containers/create?platform=linux/arm64", body)["Id"]
    wanted = api.get(f"/images/shown:1/json?platform={as_json('arm64')}")["Id"]
    assert api.get(f"/containers/{made}/json")["Image"] == wanted
    engine.docker("rm", made)
    engine.docker("rmi", "shown:1")


def test_what_is_saved_is_what_was_loaded(engine: Engine) -> None:
    layout, top, images = several("saved:1")
    engine.docker("load", stdin=layout.archive())
    files = members(engine.docker_bytes("save", "saved:1"))
    assert json.loads(files["index.json"])["manifests"][0]["digest"] == top["digest"]
    for name, data in layout.blobs.items():
        assert files[f"blobs/{name.replace(':', '/')}"] == data
    one = members(engine.docker_bytes("save", "--platform", "linux/arm64", "saved:1"))
    assert json.loads(one["index.json"])["manifests"][0]["digest"] == images[1]["digest"]
    api = Api(engine.socket)
    with pytest.raises(ApiError) as raised:
        api.raw("GET", f"/images/saved:1/get?platform={as_json('riscv64')}")
    assert raised.value.message == "no suitable export target found for platform linux/riscv64"
    whole = engine.docker_bytes("save", "saved:1")
    engine.docker("rmi", "saved:1")
    assert engine.docker("load", stdin=whole).stdout == "Loaded image: saved:1\n"
    found = api.get("/images/saved:1/json?manifests=1")
    assert found["Descriptor"]["digest"] == top["digest"]
    assert sum(item["Available"] for item in found["Manifests"]) == 3
    engine.docker("rmi", "saved:1")


def test_one_platform_of_an_archive_is_loaded(engine: Engine) -> None:
    layout, _, _ = several("chosen:1")
    engine.docker("load", "--platform", "linux/s390x", stdin=layout.archive())
    api = Api(engine.socket)
    found = api.get("/images/chosen:1/json?manifests=1")
    assert found["Architecture"] == "s390x"
    assert [item["Available"] for item in found["Manifests"]] == [False, False, True]
    done = engine.docker("load", "--platform", "linux/riscv64", stdin=layout.archive(), check=False)
    assert "doesn't provide the requested platform" in done.stderr
    engine.docker("rmi", "chosen:1")


def test_one_platform_is_removed_and_the_name_stays(engine: Engine) -> None:
    layout, _, _ = several("less:1")
    engine.docker("load", stdin=layout.archive())
    api = Api(engine.socket)
    removed = api.call("DELETE", f"/images/less:1?platforms={as_json('amd64')}")
    assert [key for row in removed for key in row] == ["Deleted", "Deleted"]
    found = api.get("/images/less:1/json?manifests=1")
    assert [item["Available"] for item in found["Manifests"]] == [False, True, True]
    assert found["Architecture"] == "arm64"
    api.call("DELETE", f"/images/less:1?platforms={as_json('arm64')}")
    api.call("DELETE", f"/images/less:1?platforms={as_json('s390x')}")
    assert engine.docker("images", "-aq", "less").stdout == ""


@needs_program("docker-registry")
@needs_program("skopeo")
def test_platforms_that_were_pulled_one_by_one_belong_to_one_name(
    engine: Engine, registry: Registry
) -> None:
    layout, top, _ = several("made")
    name = registry.copy(layout, "pulled:1", "--all", "--format", "oci")
    for architecture in ("arm64", "amd64"):
        engine.docker("pull", "--platform", f"linux/{architecture}", name)
    found = Api(engine.socket).get(f"/images/{name}/json?manifests=1")
    assert [item["Available"] for item in found["Manifests"]] == [True, True, False]
    assert found["RepoDigests"] == [f"{registry.address}/pulled@{top['digest']}"]
    assert "Identity" not in found
    api = Api(engine.socket, "v1.55")
    identity = {"Pull": [{"Repository": f"{registry.address}/pulled"}]}
    assert api.get(f"/images/{name}/json")["Identity"] == identity
    rows = api.get("/images/json?manifests=1&identity=1")
    row = next(row for row in rows if row["RepoTags"] == [name])
    assert row["Manifests"][0]["ImageData"]["Identity"] == identity
    with pytest.raises(ApiError) as raised:
        api.get("/images/json?identity=1")
    assert raised.value.status == 400
    assert engine.docker("images", "-q", f"{registry.address}/pulled").stdout.count("\n") == 1
    assert "<none>" not in engine.docker("images").stdout
    engine.docker("image", "prune", "-f")
    found = Api(engine.socket).get(f"/images/{name}/json?manifests=1")
    assert [item["Available"] for item in found["Manifests"]] == [True, True, False]
    engine.docker("rmi", name)
    assert engine.docker("images", "-aq", f"{registry.address}/pulled").stdout == ""


def test_a_bad_platform_is_refused(engine: Engine) -> None:
    api = Api(engine.socket)
    for text in ("nonsense", '{"os":"linux"}', "[]"):
        with pytest.raises(ApiError) as raised:
            api.get(f"/images/busybox/json?platform={quote(text)}")
        assert raised.value.status == 400
