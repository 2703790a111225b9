"""Overlays of many layers, as new kernels take them and as those before 6.5 do."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.support.needs import needs_root
from wherry.linux.mount import clone_tree
from wherry.linux.overlay import _mounted, overlay
from wherry.linux.tree import copy_tree, remove_tree

pytestmark = needs_root


def by_mount(layers: Sequence[str], options: Sequence[str]) -> int:
    return _mounted(layers, options)


def by_configuration(layers: Sequence[str], options: Sequence[str]) -> int:
    return overlay(options, lower=layers)


@pytest.mark.parametrize("make", [by_mount, by_configuration])
def test_an_overlay_of_200_layers_with_long_names_is_made_detached(
    tmp_path: Path, make: Callable[[Sequence[str], Sequence[str]], int]
) -> None:
    layers = [tmp_path / "layers" / f"{number:064}" / "diff" for number in range(200)]
    for number, layer in enumerate(layers):
        layer.mkdir(parents=True)
        (layer / f"file-{number}").touch()
    for name in ("upper", "work"):
        (tmp_path / name).mkdir()
    options = (f"upperdir={tmp_path}/upper", f"workdir={tmp_path}/work")
    tree = make([str(layer) for layer in layers], options)
    root = os.open(".", os.O_RDONLY | os.O_DIRECTORY, dir_fd=tree)
    try:
        assert len(os.listdir(root)) == 200
        os.close(os.open("new", os.O_CREAT | os.O_WRONLY, dir_fd=root))
        os.unlink("file-7", dir_fd=root)
        assert sorted(os.listdir(tmp_path / "upper")) == ["file-7", "new"]
    finally:
        os.close(root)
        os.close(tree)
    assert str(tmp_path) not in Path("/proc/self/mountinfo").read_text()


@pytest.mark.parametrize("make", [by_mount, by_configuration])
def test_layers_may_lie_in_detached_mounts(
    tmp_path: Path, make: Callable[[Sequence[str], Sequence[str]], int]
) -> None:
    for name in ("one", "two", "own/upper", "own/work"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "one/file").write_text("below")
    trees = [clone_tree(str(tmp_path / name), recursive=False) for name in ("one", "two", "own")]
    one, two, own = (f"/proc/self/fd/{tree}" for tree in trees)
    tree = make([one, two], (f"upperdir={own}/upper", f"workdir={own}/work"))
    root = os.open(".", os.O_RDONLY | os.O_DIRECTORY, dir_fd=tree)
    for descriptor in (tree, *trees):
        os.close(descriptor)
    assert os.listdir(root) == ["file"]
    os.close(os.open("file", os.O_WRONLY | os.O_TRUNC, dir_fd=root))
    os.close(root)
    assert (tmp_path / "own/upper/file").read_text() == ""
    assert (tmp_path / "one/file").read_text() == "below"
    assert str(tmp_path) not in Path("/proc/self/mountinfo").read_text()


def test_a_tree_deeper_than_any_path_is_removed(tmp_path: Path) -> None:
    top = tmp_path / "top"
    top.mkdir()
    here = os.open(top, os.O_RDONLY | os.O_DIRECTORY)
    for _ in range(3000):
        os.mkdir("directory", dir_fd=here)
        below = os.open("directory", os.O_RDONLY | os.O_DIRECTORY, dir_fd=here)
        os.close(os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=below))
        os.close(here)
        here = below
    os.close(here)
    remove_tree(top)
    assert not top.exists()
    remove_tree(top)


def test_a_copied_tree_keeps_modes_whatever_the_umask(tmp_path: Path) -> None:
    for name in ("from", "to"):
        (tmp_path / name).mkdir()
    os.mkfifo(tmp_path / "from/pipe")
    os.chmod(tmp_path / "from/pipe", 0o666)
    (tmp_path / "from/file").write_bytes(b"x" * 100_000)
    os.chmod(tmp_path / "from/file", 0o4777)
    source, target = (os.open(tmp_path / name, os.O_RDONLY) for name in ("from", "to"))
    copy_tree(source, target)
    os.close(source)
    os.close(target)
    assert (tmp_path / "to/pipe").stat().st_mode & 0o7777 == 0o666
    assert (tmp_path / "to/file").stat().st_mode & 0o7777 == 0o4777
    assert (tmp_path / "to/file").read_bytes() == b"x" * 100_000
