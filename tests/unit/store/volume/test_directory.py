"""Directories of volumes."""

import os
from pathlib import Path

import pytest

from wherry.base.errors import InvalidParameter
from wherry.store.volume.directory import VolumeDirectories, check_options


def test_data_lies_where_docker_puts_it(tmp_path: Path) -> None:
    volumes = VolumeDirectories(tmp_path / "volumes")
    assert volumes.create("data") == tmp_path / "volumes" / "data" / "_data"
    assert volumes.names() == ["data"]
    assert volumes.create("data").stat().st_mode & 0o777 == 0o755


def test_removal_takes_everything_and_follows_no_link(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("x")
    volumes = VolumeDirectories(tmp_path / "volumes")
    data = volumes.create("data")
    (data / "sub").mkdir()
    (data / "sub" / "link").symlink_to(outside)
    volumes.remove("data")
    volumes.remove("data")
    assert volumes.names() == []
    assert (outside / "precious").exists()


def test_a_removal_cut_short_is_ended_by_the_next_sweep(tmp_path: Path) -> None:
    volumes = VolumeDirectories(tmp_path / "volumes")
    volumes.create("data")
    (tmp_path / "volumes" / "data").rename(tmp_path / "volumes" / ".removed-data")
    volumes.sweep()
    assert list((tmp_path / "volumes").iterdir()) == []


def test_size_counts_hard_links_once(tmp_path: Path) -> None:
    volumes = VolumeDirectories(tmp_path / "volumes")
    data = volumes.create("data")
    (data / "a").write_bytes(b"x" * 1000)
    os.link(data / "a", data / "b")
    (data / "sub").mkdir()
    (data / "sub" / "c").write_bytes(b"x" * 24)
    assert volumes.size("data") == 1024
    assert volumes.size("absent") == 0


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"colour": "red"}, 'invalid option: "colour"'),
        ({"type": "tmpfs"}, 'missing required option: "device"'),
        ({"device": "/x"}, 'missing required option: "type"'),
        ({"size": "1g"}, "no quota support"),
    ],
)
def test_options_that_the_local_driver_refuses(options: dict[str, str], text: str) -> None:
    with pytest.raises(InvalidParameter, match=text):
        check_options(options)


def test_no_options_and_complete_ones_pass() -> None:
    check_options({})
    check_options({"type": "none", "device": "/srv", "o": "bind"})
