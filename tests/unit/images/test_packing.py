"""Manifests of images that leave, and the archives of their layers."""

import gzip
import json
import os
import tempfile
from pathlib import Path

import msgspec
import pytest

from wherry.images.packing import Packer
from wherry.model.digest import Digest, chain_ids
from wherry.model.image import Image
from wherry.model.image_config import ImageConfig, RootFilesystem
from wherry.model.manifest import DOCKER_MANIFEST, OCI_MANIFEST
from wherry.store.content.layers import LayerArchives

PLAIN = b"plain " * 1000
DIFF_ID = str(Digest.of(PLAIN))


@pytest.fixture
def archives(tmp_path: Path) -> LayerArchives:
    return LayerArchives(tmp_path / "archives")


def keep(archives: LayerArchives, data: bytes) -> None:
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.flush()
        archives.put(DIFF_ID, file.fileno())


def image(manifest: bytes = b"", kind: str = "") -> Image:
    config = ImageConfig(architecture="amd64", rootfs=RootFilesystem(diff_ids=(DIFF_ID,)))
    raw = msgspec.json.encode(config)
    return Image(str(Digest.of(raw)), raw, config, chain_ids((DIFF_ID,)), 1, 0, "", (), (),
                 manifest, kind)  # fmt: skip


def manifest_of(blob: bytes) -> bytes:
    own = image()
    return json.dumps({
        "schemaVersion": 2, "mediaType": OCI_MANIFEST,
        "config": {"mediaType": "a", "digest": own.id, "size": len(own.raw)},
        "layers": [{"mediaType": "b", "digest": str(Digest.of(blob)), "size": len(blob)}],
    }).encode()  # fmt: skip


def test_a_manifest_leaves_as_it_came_if_its_archives_are_here(
    archives: LayerArchives, tmp_path: Path
) -> None:
    squeezed = gzip.compress(PLAIN, mtime=0)
    keep(archives, squeezed)
    came = manifest_of(squeezed)
    packer = Packer(archives, str(tmp_path))
    packed = packer.pack(image(came, OCI_MANIFEST), compress=True)
    assert packed.data == came
    assert packed.descriptor.digest == str(Digest.of(came))
    other = image(manifest_of(b"another archive"), OCI_MANIFEST)
    assert packer.original(other) is None
    assert packer.named(other) is not None
    assert packer.pack(other).manifest.layers[0].digest == str(Digest.of(squeezed))


def test_what_was_made_here_is_compressed_once_and_always_the_same(
    archives: LayerArchives, tmp_path: Path
) -> None:
    keep(archives, PLAIN)
    packer = Packer(archives, str(tmp_path))
    plain = packer.pack(image())
    assert plain.manifest.media_type == OCI_MANIFEST
    assert plain.manifest.layers[0].digest == DIFF_ID
    first = packer.pack(image(), compress=True)
    assert first.manifest.media_type == DOCKER_MANIFEST
    assert packer.pack(image(), compress=True) == first
    with archives.open(DIFF_ID) as kept:
        data = kept.read()
    assert gzip.decompress(data) == PLAIN
    assert str(Digest.of(data)) == first.manifest.layers[0].digest
    elsewhere = LayerArchives(tmp_path / "elsewhere")
    keep(elsewhere, PLAIN)
    assert Packer(elsewhere, str(tmp_path)).pack(image(), compress=True) == first


def test_who_reads_an_archive_that_is_replaced_reads_on(archives: LayerArchives) -> None:
    keep(archives, PLAIN)
    with archives.open(DIFF_ID) as reading:
        start = reading.read(10)
        with tempfile.TemporaryFile() as file:
            file.write(b"new")
            file.flush()
            archives.replace(DIFF_ID, file.fileno())
        assert start + reading.read() == PLAIN
    with archives.open(DIFF_ID) as now:
        assert now.read() == b"new"
    assert archives.describe(DIFF_ID).size == 3
    archives.remove(DIFF_ID)
    assert not archives.has(DIFF_ID)
    assert archives.diff_ids() == []


def test_a_replacement_that_is_killed_leaves_the_old_archive(
    archives: LayerArchives, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(archives, PLAIN)

    def killed(*arguments: object) -> None:
        raise KeyboardInterrupt

    with tempfile.TemporaryFile() as file, monkeypatch.context() as patched:
        file.write(b"new")
        patched.setattr("wherry.store.content.layers.write_atomic", killed)
        with pytest.raises(KeyboardInterrupt):
            archives.replace(DIFF_ID, file.fileno())
    with LayerArchives(tmp_path / "archives").open(DIFF_ID) as kept:
        assert kept.read() == PLAIN
    assert os.listdir(tmp_path / "archives") == [DIFF_ID[7:]]
