"""Volumes whose options mount something: a tmpfs, a bind, and what cannot be mounted."""

import os
from pathlib import Path

import pytest

from wherry.store.volume.directory import VolumeDirectories, VolumeMountFailed

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to mount")


def test_a_tmpfs_volume_is_mounted_once_and_unmounted(tmp_path: Path) -> None:
    volumes = VolumeDirectories(tmp_path / "volumes")
    data = volumes.create("fast")
    options = {"type": "tmpfs", "device": "tmpfs", "o": "size=1m,mode=700,noexec"}
    volumes.mount("fast", options)
    volumes.mount("fast", options)
    try:
        assert data.is_mount()
        assert data.stat().st_mode & 0o777 == 0o700
        assert os.statvfs(data).f_flag & os.ST_NOEXEC
    finally:
        volumes.unmount("fast")
    assert not data.is_mount()
    volumes.unmount("fast")


def test_somebody_who_still_reads_a_volume_does_not_keep_it_mounted(tmp_path: Path) -> None:
    volumes = VolumeDirectories(tmp_path / "volumes")
    data = volumes.create("read")
    volumes.mount("read", {"type": "tmpfs", "device": "tmpfs"})
    directory = os.open(data, os.O_RDONLY)
    try:
        volumes.unmount("read")
        assert not data.is_mount()
        volumes.remove("read")
    finally:
        os.close(directory)
    assert volumes.names() == []


def test_a_bind_volume_shows_its_device_and_read_only_holds(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "file").write_text("hello")
    volumes = VolumeDirectories(tmp_path / "volumes")
    data = volumes.create("shared")
    volumes.mount("shared", {"type": "none", "device": str(source), "o": "bind,ro"})
    try:
        assert (data / "file").read_text() == "hello"
        with pytest.raises(OSError, match="Read-only file system"):
            (data / "new").touch()
    finally:
        volumes.unmount("shared")


def test_removal_unmounts_and_spares_the_device(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "file").write_text("hello")
    volumes = VolumeDirectories(tmp_path / "volumes")
    volumes.create("shared")
    volumes.mount("shared", {"type": "none", "device": str(source), "o": "bind"})
    volumes.remove("shared")
    assert (source / "file").exists()
    assert volumes.names() == []


def test_a_missing_device_is_named(tmp_path: Path) -> None:
    volumes = VolumeDirectories(tmp_path / "volumes")
    volumes.create("lost")
    options = {"type": "none", "device": str(tmp_path / "absent"), "o": "bind"}
    with pytest.raises(VolumeMountFailed, match="failed to mount local volume: mount /"):
        volumes.mount("lost", options)
