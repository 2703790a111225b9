"""Registries and images that mean harm: nothing leaks, nothing is left, one clear line is said."""

import gzip
import json
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.credentials import log_in_by_file
from tests.support.engine import Engine
from tests.support.layers import OCI_INDEX, OCI_LAYER, Layout, digest, entry, layer
from tests.support.stub_registry import Request, StubRegistry


@pytest.fixture(autouse=True)
def logged_out(engine: Engine) -> Iterator[None]:
    yield
    shutil.rmtree(engine.root / "docker-config", ignore_errors=True)


@pytest.fixture
def clean(engine: Engine) -> Iterator[None]:
    """The engine holds as much afterwards as before."""
    before = state_of(engine)
    yield
    assert state_of(engine) == before


def state_of(engine: Engine) -> set[str]:
    data = engine.root / "data"
    places = ("overlay2/layers/*", "overlay2/layers/.*", "archives/*", "tmp/*", "partial/*")
    names = {str(path.relative_to(data)) for place in places for path in data.glob(place)}
    return names | set(engine.docker("images", "-aq", "--no-trunc").stdout.split())


def small(content: bytes = b"x") -> Layout:
    layout = Layout()
    layout.name(layout.image([layer(entry("a", content))]), "1")
    return layout


def refused(engine: Engine, name: str) -> str:
    """What is said of a pull that fails, in one line."""
    done = engine.docker("pull", name, check=False)
    assert done.returncode == 1, done.stdout
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    return lines[0]


@pytest.mark.usefixtures("clean")
def test_credentials_do_not_follow_a_layer_to_another_host(engine: Engine) -> None:
    """CVE-2020-15157: a layer elsewhere asks for a token at a place of its own."""

    def ask_for_token(request: Request) -> bool:
        if request.path.startswith("/token"):
            request.answer(200, b'{"token":"t"}')
            return True
        realm = f'Bearer realm="http://{foreign.address}/token",service="s"'
        request.answer(401, b"", **{"WWW-Authenticate": realm})
        return True

    def redirect(request: Request) -> bool:
        if "Authorization" not in request.headers:
            request.answer(401, b"", **{"WWW-Authenticate": 'Basic realm="own"'})
            return True
        if "/blobs/" not in request.path:
            return False
        request.answer(307, b"", Location=f"http://{foreign.address}{request.path}")
        return True

    with StubRegistry(small(), ask_for_token) as foreign, StubRegistry(small(), redirect) as own:
        log_in_by_file(engine, own.address)
        assert "unauthorized" in refused(engine, f"{own.address}/x:1")
        assert any(authorization for _, authorization in own.requests)
        assert foreign.requests
        assert [authorization for _, authorization in foreign.requests if authorization] == []
        assert not any(path.startswith("/token") for path, _ in foreign.requests)


@pytest.mark.usefixtures("clean")
def test_layers_with_addresses_of_their_own_are_asked_of_the_registry_alone(
    engine: Engine,
) -> None:
    layout = small(b"elsewhere")
    manifest = json.loads(layout.blobs[layout.manifests[0]["digest"]])
    with StubRegistry(Layout(), tags={"x": "x"}) as foreign, StubRegistry(layout) as own:
        gone = manifest["layers"][0]
        gone["urls"] = [f"http://{foreign.address}/layer"]
        layout.blobs.pop(gone["digest"])
        own.add(json.dumps(manifest).encode(), "2")
        refused(engine, f"{own.address}/x:2")
        assert foreign.requests == []


@pytest.mark.usefixtures("clean")
def test_one_document_is_not_two_kinds_of_manifest(engine: Engine) -> None:
    """CVE-2021-41190."""
    layout = small()
    image = json.loads(layout.blobs[layout.manifests[0]["digest"]])
    both = {**image, "manifests": [{**layout.manifests[0], "annotations": {}}]}
    with StubRegistry(layout) as registry:
        registry.add(json.dumps(both).encode(), "both")
        assert "two things at once" in refused(engine, f"{registry.address}/x:both")
        registry.media_type = OCI_INDEX
        assert "differs from its media type" in refused(engine, f"{registry.address}/x:1")
        registry.media_type = ""
        claimed = {**image, "mediaType": OCI_INDEX}
        registry.add(json.dumps(claimed).encode(), "claimed")
        assert "differs from its media type" in refused(engine, f"{registry.address}/x:claimed")


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


@pytest.mark.usefixtures("clean")
@pytest.mark.parametrize(
    ("manifest", "words"),
    [
        (nested(200_000), "cannot be read"),
        (b'{"schemaVersion":2,"config":' + nested(200_000) + b"}", "cannot be read"),
        (b'{"schemaVersion":2,"x":"' + bytes(5 << 20) + b'"}', "is too large"),
        (b"null", "is no object"),
        (b'{"schemaVersion":1}', "schema version 1"),
        (b'{"schemaVersion":2,"config":{"mediaType":"a","digest":"b","size":1},"layers":[]}',
         "invalid digest"),
        (b'{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json",'
         b'"manifests":[]}', "no matching manifest"),
    ],
    ids=["nested", "nested config", "large", "null", "old", "digest", "empty"],
)  # fmt: skip
def test_a_manifest_that_is_no_manifest_is_refused(
    engine: Engine, manifest: bytes, words: str
) -> None:
    with StubRegistry(small()) as registry:
        registry.add(manifest, "bad")
        assert words in refused(engine, f"{registry.address}/x:bad")


@pytest.mark.usefixtures("clean")
def test_indexes_in_indexes_end(engine: Engine) -> None:
    with StubRegistry(small()) as registry:
        name = digest(next(iter(registry.blobs.values())))
        for number in range(10):
            index: dict[str, Any] = {
                "schemaVersion": 2, "mediaType": OCI_INDEX,
                "manifests": [{"mediaType": OCI_INDEX, "digest": name, "size": 1}],
            }  # fmt: skip
            name = registry.add(json.dumps(index).encode(), f"deep{number}")
        assert "indexes in indexes" in refused(engine, f"{registry.address}/x:deep9")


def bomb(*, manifest_size: int | None = None, squeezed: bytes) -> Layout:
    """An image whose only layer is `squeezed`, whatever that is."""
    layout = Layout()
    described = layout.add(squeezed, f"{OCI_LAYER}+gzip")
    config = json.dumps({
        "architecture": "amd64", "os": "linux",
        "rootfs": {"type": "layers", "diff_ids": [digest(gzip.decompress(squeezed))]},
    }).encode()  # fmt: skip
    manifest = {
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": layout.add(config, "application/vnd.oci.image.config.v1+json"),
        "layers": [{**described, "size": manifest_size or described["size"]}],
    }  # fmt: skip
    layout.name(layout.add(json.dumps(manifest).encode(), manifest["mediaType"]), "1")  # type: ignore[arg-type]
    return layout


def headers(count: int) -> bytes:
    """A layer whose one member has an extended header of `count` bytes."""
    return layer(entry("a", b"x", xattrs={"user.big": b"y" * count}))


@pytest.mark.usefixtures("clean")
def test_a_layer_that_climbs_out_or_swells_is_refused_and_not_kept(engine: Engine) -> None:
    for content, words in (
        (layer(entry("../outside", b"x")), "failed to register layer"),
        (layer(entry("a/" * 3000 + "b", b"x")), "failed to register layer"),
        (headers(9 << 20), "failed to register layer"),
    ):
        with StubRegistry(bomb(squeezed=gzip.compress(content, mtime=0))) as registry:
            assert words in refused(engine, f"{registry.address}/x:1")


@pytest.mark.usefixtures("clean")
def test_a_blob_that_does_not_end_is_cut_where_its_manifest_says(engine: Engine) -> None:
    content = layer(entry("endless", b"x"))
    layout = bomb(squeezed=gzip.compress(content, mtime=0), manifest_size=10)
    with StubRegistry(layout) as registry:
        assert "is longer than its manifest says" in refused(engine, f"{registry.address}/x:1")


@pytest.mark.usefixtures("clean")
def test_a_limit_of_the_registry_is_told_with_its_name(engine: Engine) -> None:
    def limited(request: Request) -> bool:
        body = b'{"errors":[{"code":"TOOMANYREQUESTS","message":"You have reached your limit."}]}'
        request.answer(429, body, **{"ratelimit-limit": "100;w=21600",
                                     "ratelimit-remaining": "0;w=21600",
                                     "Retry-After": "3600"})  # fmt: skip
        return True

    with StubRegistry(small(), limited) as registry:
        said = refused(engine, f"{registry.address}/x:1")
        assert said.endswith(
            f"toomanyrequests: You have reached your limit. ({registry.address}: "
            "limit 100 requests in 21600 seconds, 0 left, try again in 3600 seconds)"
        )


def test_a_short_wait_that_a_registry_asks_for_is_waited(engine: Engine) -> None:
    asked: list[str] = []

    def busy_once(request: Request) -> bool:
        if f"/blobs/{layout_layer}" in request.path:
            asked.append(request.path)
            if len(asked) == 1:
                request.answer(429, b"", **{"Retry-After": "1"})
                return True
        return False

    layout = small(b"waited for")
    layout_layer = json.loads(layout.blobs[layout.manifests[0]["digest"]])["layers"][0]["digest"]
    with StubRegistry(layout, busy_once) as registry:
        shown = engine.docker("pull", f"{registry.address}/x:1").stdout
        assert "Retrying in 1 second" in shown
        engine.docker("rmi", f"{registry.address}/x:1")


def test_a_download_begins_as_often_as_it_may() -> None:
    layout = small()
    named = json.loads(layout.blobs[layout.manifests[0]["digest"]])["layers"][0]["digest"]

    def fails(request: Request) -> bool:
        if named in request.path:
            request.answer(503, b"")
            return True
        return False

    with (
        StubRegistry(layout, fails) as registry,
        Engine("--max-download-attempts", "2", "--max-concurrent-downloads", "1") as engine,
    ):
        assert "503" in refused(engine, f"{registry.address}/x:1")
        assert sum(named in path for path, _ in registry.requests) == 2
