"""The kernel's neighbour table grows with the containers."""

from pathlib import Path

from wherry.network.neighbours import make_room


def table(root: Path) -> Path:
    """A table with the kernel's own thresholds."""
    for name, value in (("gc_thresh1", 128), ("gc_thresh2", 512), ("gc_thresh3", 1024)):
        (root / name).write_text(f"{value}\n")
    return root


def test_a_few_containers_change_nothing(tmp_path: Path) -> None:
    make_room(10, (table(tmp_path),))
    assert (tmp_path / "gc_thresh3").read_text() == "1024\n"


def test_many_containers_get_more_room_than_they_need_now(tmp_path: Path) -> None:
    make_room(1000, (table(tmp_path),))
    most = int((tmp_path / "gc_thresh3").read_text())
    assert most > 8000 > int((tmp_path / "gc_thresh1").read_text()) > 1000
    make_room(1001, (tmp_path,))
    assert int((tmp_path / "gc_thresh3").read_text()) == most


def test_a_namespace_without_thresholds_is_left_alone(tmp_path: Path) -> None:
    make_room(1000, (tmp_path / "missing",))
    assert list(tmp_path.iterdir()) == []
