"""What builders say about images: kept beside them, shown, and sent on."""

import io
import json
import tarfile
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from tests.support.api import Api, ApiError
from tests.support.engine import Engine
from tests.support.layers import OCI_CONFIG, OCI_MANIFEST, Layout, entry, layer
from tests.support.needs import needs_program
from tests.support.registry import Registry

SBOM, PROVENANCE = "https://spdx.dev/Document", "https://slsa.dev/provenance/v1"


@pytest.fixture(scope="module")
def registry() -> Iterator[Registry]:
    with Registry() as running:
        yield running


def attested(name: str, content: str) -> tuple[Layout, dict[str, Any], dict[str, Any]]:
    """A layout with an index as BuildKit makes it; its descriptor and the attestation's."""
    layout = Layout()
    image = layout.image([layer(entry(content, b"x"))])
    layers = []
    for kind in (SBOM, PROVENANCE):
        statement = json.dumps({"predicateType": kind, "about": content}).encode()
        described = layout.add(statement, "application/vnd.in-toto+json")
        layers.append({**described, "annotations": {"in-toto.io/predicate-type": kind}})
    manifest = {
        "schemaVersion": 2, "mediaType": OCI_MANIFEST,
        "config": layout.add(b'{"architecture":"unknown","os":"unknown"}', OCI_CONFIG),
        "layers": layers,
    }  # fmt: skip
    about = {
        **layout.add(json.dumps(manifest).encode(), OCI_MANIFEST),
        "platform": {"architecture": "unknown", "os": "unknown"},
        "annotations": {"vnd.docker.reference.digest": image["digest"],
                        "vnd.docker.reference.type": "attestation-manifest"},
    }  # fmt: skip
    top = layout.index([image, about])
    layout.name(top, name)
    return layout, top, about


def kept(engine: Engine) -> list[str]:
    return sorted(path.name for path in (engine.root / "data/attestations").iterdir())


def test_statements_about_an_image_are_shown(engine: Engine) -> None:
    layout, _, about = attested("stated:1", "stated")
    engine.docker("load", stdin=layout.archive())
    api = Api(engine.socket, "v1.55")
    found = api.get("/images/stated:1/json?manifests=1")["Manifests"]
    assert [item["Kind"] for item in found] == ["image", "attestation"]
    assert found[1]["Available"] is True
    assert found[1]["AttestationData"] == {"For": found[0]["ID"]}
    rows = api.get("/images/stated:1/attestations")
    assert [row["PredicateType"] for row in rows] == [SBOM, PROVENANCE]
    assert all("Statement" not in row for row in rows)
    assert rows[0]["Descriptor"]["mediaType"] == "application/vnd.in-toto+json"
    only = api.get(f"/images/stated:1/attestations?statement=1&type={quote(PROVENANCE)}")
    assert [row["Statement"] for row in only] == [{"predicateType": PROVENANCE, "about": "stated"}]
    assert api.get("/images/busybox/attestations") == []
    with pytest.raises(ApiError) as raised:
        api.get("/images/nothing/attestations")
    assert raised.value.status == 404
    assert len(kept(engine)) == 4
    assert about["digest"].replace(":", "-") in kept(engine)
    engine.docker("tag", "stated:1", "stated:2")
    engine.docker("rmi", "stated:1")
    assert len(kept(engine)) == 4
    engine.docker("rmi", "stated:2")
    assert kept(engine) == []


def test_statements_are_saved_with_the_image(engine: Engine) -> None:
    layout, top, _ = attested("saved:1", "saved")
    engine.docker("load", stdin=layout.archive())
    saved = engine.docker_bytes("save", "saved:1")
    with tarfile.open(fileobj=io.BytesIO(saved)) as opened:
        assert {f"blobs/{name.replace(':', '/')}" for name in layout.blobs} <= set(
            opened.getnames()
        )
        index = json.load(opened.extractfile("index.json") or io.BytesIO())
    assert index["manifests"][0]["digest"] == top["digest"]
    engine.docker("rmi", "saved:1")
    engine.docker("load", stdin=saved)
    assert len(Api(engine.socket, "v1.55").get("/images/saved:1/attestations")) == 2
    engine.docker("rmi", "saved:1")


@needs_program("docker-registry")
@needs_program("skopeo")
def test_statements_are_pushed_and_pulled_with_the_image(
    engine: Engine, registry: Registry
) -> None:
    name = f"{registry.address}/pushed:1"
    layout, top, about = attested(name, "pushed")
    engine.docker("load", stdin=layout.archive())
    assert f"1: digest: {top['digest']}" in engine.docker("push", name).stdout
    status, _, body = registry.request(
        "GET", f"/v2/pushed/manifests/{about['digest']}", Accept=OCI_MANIFEST
    )
    assert (status, body) == (200, layout.blobs[about["digest"]])
    engine.docker("rmi", name)
    assert kept(engine) == []
    engine.docker("pull", name)
    assert len(Api(engine.socket, "v1.55").get(f"/images/{name}/attestations")) == 2
    moved = f"{registry.address}/moved:1"
    engine.docker("tag", name, moved)
    assert f"1: digest: {top['digest']}" in engine.docker("push", moved).stdout
    engine.docker("rmi", name, moved)
    assert kept(engine) == []


def test_a_statement_that_is_not_what_its_digest_says_is_left_out(engine: Engine) -> None:
    layout, _, about = attested("false:1", "false")
    statement = json.loads(layout.blobs[about["digest"]])["layers"][0]["digest"]
    layout.blobs[statement] = b"{}"
    engine.docker("load", stdin=layout.archive())
    api = Api(engine.socket, "v1.55")
    assert api.get("/images/false:1/attestations") == []
    found = api.get("/images/false:1/json?manifests=1")["Manifests"]
    assert [item["Available"] for item in found] == [True, False]
    engine.docker("rmi", "false:1")
    assert kept(engine) == []
