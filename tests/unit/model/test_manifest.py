"""Manifests and indexes: one document means one thing."""

import json
from typing import Any

import pytest

from wherry.base.errors import DataCorrupt, InvalidParameter
from wherry.model.manifest import (
    DOCKER_LIST,
    OCI_INDEX,
    OCI_MANIFEST,
    Index,
    Manifest,
    Platform,
    parse_manifest,
)

DIGEST = f"sha256:{'0' * 64}"
BLOB: dict[str, Any] = {"mediaType": "x", "digest": DIGEST, "size": 1}
IMAGE: dict[str, Any] = {"schemaVersion": 2, "config": BLOB, "layers": [BLOB]}


def parsed(document: Any, media_type: str = "") -> Manifest | Index:
    return parse_manifest(json.dumps(document).encode(), "x", media_type)


def test_what_the_content_says_and_what_it_is_called_agree() -> None:
    assert isinstance(parsed(IMAGE, OCI_MANIFEST), Manifest)
    assert isinstance(parsed(IMAGE, "application/octet-stream"), Manifest)
    assert isinstance(parsed({"schemaVersion": 2, "manifests": [BLOB]}, DOCKER_LIST), Index)
    for document, kind in (
        (IMAGE, OCI_INDEX),
        ({**IMAGE, "mediaType": DOCKER_LIST}, ""),
        ({"schemaVersion": 2, "manifests": [BLOB]}, OCI_MANIFEST),
        ({"schemaVersion": 2, "mediaType": OCI_MANIFEST, "manifests": [BLOB]}, ""),
        ({**IMAGE, "manifests": [BLOB]}, ""),
    ):
        with pytest.raises(DataCorrupt):
            parsed(document, kind)


@pytest.mark.parametrize(
    "document",
    [
        [], None, 1, {}, {"schemaVersion": 1}, {"schemaVersion": "2", "config": BLOB, "layers": []},
        {**IMAGE, "layers": [{**BLOB, "size": -1}]}, {**IMAGE, "layers": None},
    ],
)  # fmt: skip
def test_what_is_no_manifest_is_corrupt(document: Any) -> None:
    with pytest.raises(DataCorrupt):
        parsed(document)


def test_a_bad_digest_is_named() -> None:
    with pytest.raises(InvalidParameter, match=r"invalid digest: sha256:\.\./"):
        parsed({**IMAGE, "layers": [{**BLOB, "digest": "sha256:../../x"}]})


def test_deep_nesting_ends() -> None:
    with pytest.raises(DataCorrupt):
        parse_manifest(b"[" * 500_000, "x")


@pytest.mark.parametrize(
    ("found", "wanted", "satisfies"),
    [
        ("linux/amd64", "linux/amd64", True),
        ("linux/arm64", "linux/amd64", False),
        ("linux/arm64/v8", "linux/arm64", True),
        ("linux/arm64", "linux/arm64/v8", True),
        ("linux/arm/v6", "linux/arm/v7", False),
        ("linux/arm/v7", "linux/arm", True),
        ("windows/amd64", "linux/amd64", False),
    ],
)
def test_a_platform_satisfies_what_was_asked(found: str, wanted: str, satisfies: bool) -> None:
    assert Platform.parse(found).satisfies(Platform.parse(wanted)) is satisfies
