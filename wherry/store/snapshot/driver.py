"""The port of snapshot drivers, and the choice among them."""

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from wherry.base.errors import InvalidParameter
from wherry.linux.mount import filesystem_of
from wherry.linux.overlay import overlay
from wherry.linux.syscall import SyscallError
from wherry.model.mount import Mount
from wherry.store.snapshot.overlay import OverlaySnapshots
from wherry.store.snapshot.vfs import CopiedSnapshots


class Snapshots(Protocol):
    """Layers by chain id and writable snapshots by key; mounts are returned, never made."""

    name: str
    complete: bool
    """Whether the directory of a snapshot holds everything, not only what changed."""

    def has_layer(self, name: str) -> bool:
        """Whether a committed layer of this chain id exists."""

    def layers(self) -> list[str]:
        """Chain ids of all committed layers."""

    def used_layers(self) -> set[str]:
        """Chain ids of the layers below writable snapshots."""

    def begin_layer(self, name: str, parents: tuple[str, ...]) -> Mount:
        """Where the layer above `parents` (lowest first) is unpacked: an overlay or a directory."""

    def commit_layer(self, begun: str, name: str, size: int) -> None:
        """Makes a begun layer visible under its chain id; one that is there already stays."""

    def abandon_layer(self, name: str) -> None:
        """Removes a begun layer."""

    def hide_layer(self, name: str) -> str:
        """Takes a committed layer away at once; the name by which to abandon what is left."""

    def layer_size(self, name: str) -> int:
        """Bytes of the files that a committed layer brought; raises NotFound."""

    def prepare(self, key: str, parents: tuple[str, ...]) -> None:
        """Makes a writable snapshot over chain ids (lowest first); raises Conflict, NotFound."""

    def active(self) -> list[str]:
        """Keys of all writable snapshots, whole or half made."""

    def mounts(self, key: str) -> tuple[Mount, ...]:
        """The mount of a writable snapshot; raises NotFound."""

    def lower(self, key: str) -> tuple[str, ...]:
        """Directories of the layers below a snapshot, top first; raises NotFound."""

    def upper(self, key: str) -> Path:
        """The directory of a writable snapshot."""

    def remove(self, key: str) -> None:
        """Removes a writable snapshot; one that is not there is fine."""

    def usage(self, key: str) -> int:
        """Bytes that a writable snapshot holds beyond the layers below."""


_DRIVERS: dict[str, Callable[[Path], Snapshots]] = {
    OverlaySnapshots.name: OverlaySnapshots,
    CopiedSnapshots.name: CopiedSnapshots,
}


def open_snapshots(data_root: Path, wanted: str) -> tuple[Snapshots, str]:
    """The driver asked for, or the best that works at this place; and a warning about the choice.

    What was made with one driver stays with it, as with dockerd. Raises InvalidParameter.
    """
    present = [name for name in _DRIVERS if _used(data_root / name)]
    if wanted and present and wanted not in present:
        raise InvalidParameter(
            f"{data_root} was made with the storage driver {present[0]}: --storage-driver {wanted} "
            "needs another --data-root"
        )
    name = wanted or (present[0] if present else OverlaySnapshots.name)
    warning = ""
    if name == OverlaySnapshots.name:
        fault = _overlay_fault(data_root)
        if fault and (wanted or present):
            raise InvalidParameter(f"the storage driver overlay2 does not work: {fault}")
        if fault:
            name = CopiedSnapshots.name
            warning = f"the storage driver is vfs, which copies images: {fault}"
    return _DRIVERS[name](data_root / name), warning


def storage_status(driver: str, data_root: Path) -> tuple[tuple[str, str], ...]:
    """What dockerd tells of its storage driver below it, with its names of file systems."""
    if driver != OverlaySnapshots.name:
        return ()
    kind = filesystem_of(str(data_root))
    return (
        ("Backing Filesystem", "extfs" if kind in ("ext2", "ext3", "ext4") else kind),
        ("Supports d_type", "true"),  # an overlay does not work without
        ("userxattr", "false"),
    )


def _used(root: Path) -> bool:
    return any(any(part.iterdir()) for part in (root / "layers", root / "active") if part.is_dir())


def _overlay_fault(data_root: Path) -> str:
    """Why an overlay cannot be made with its upper directory there, empty if it can."""
    data_root.mkdir(parents=True, exist_ok=True)
    probe = tempfile.mkdtemp(dir=data_root, prefix=".overlay-probe-")
    try:
        for name in ("lower", "upper", "work"):
            os.mkdir(f"{probe}/{name}")
        try:
            os.close(overlay((f"lowerdir={probe}/lower", f"upperdir={probe}/upper",
                              f"workdir={probe}/work")))  # fmt: skip
        except SyscallError as error:
            return f"no overlay can be made at {data_root} ({error.strerror})"
        return ""
    finally:
        shutil.rmtree(probe, ignore_errors=True)
