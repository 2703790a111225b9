"""Snapshots as overlay directories: committed layers and writable ones, by key.

`layers/<name>/diff` holds a committed layer; `active/<key>/{diff,work}` a writable one. A layer is
made in `layers/.<name>.tmp` and appears by rename, so that half-made ones are told apart after a
kill. `base` lies below every image.
"""

import os
import shutil
from pathlib import Path

import msgspec

from wherry.base.errors import Conflict, NotFound
from wherry.model.mount import Mount
from wherry.store.snapshot.base import make_base


class _Parent(msgspec.Struct, frozen=True):
    parents: tuple[str, ...]


class OverlaySnapshots:
    """Layers below `root`; mounts are returned as values, never made here."""

    name = "overlay2"

    def __init__(self, root: Path) -> None:
        self._layers = root / "layers"
        self._active = root / "active"
        root.mkdir(parents=True, exist_ok=True)
        for directory in (self._layers, self._active):
            directory.mkdir(parents=True, exist_ok=True)
            directory.chmod(0o710)
        self._base = str(make_base(root / "base"))
        for leftover in self._layers.glob(".*.tmp"):
            shutil.rmtree(leftover, ignore_errors=True)

    def has_layer(self, name: str) -> bool:
        """Whether a committed layer of this chain id exists."""
        return self._layer(name).is_dir()

    def begin_layer(self, name: str) -> Path:
        """An empty directory to fill with a layer's files; finished by `commit_layer`."""
        temporary = self._layers / f".{_key(name)}.tmp"
        shutil.rmtree(temporary, ignore_errors=True)
        (temporary / "diff").mkdir(parents=True)
        (temporary / "diff").chmod(0o755)
        return temporary / "diff"

    def commit_layer(self, begun: str, name: str) -> None:
        """Makes a begun layer visible under its chain id; one that is there already stays."""
        temporary = self._layers / f".{_key(begun)}.tmp"
        if self.has_layer(name):
            shutil.rmtree(temporary, ignore_errors=True)
            return
        temporary.rename(self._layer(name))

    def abandon_layer(self, name: str) -> None:
        """Removes a begun layer."""
        shutil.rmtree(self._layers / f".{_key(name)}.tmp", ignore_errors=True)

    def remove_layer(self, name: str) -> None:
        """Removes a committed layer; in two steps, so that a kill leaves no half."""
        doomed = self._layers / f".{_key(name)}.tmp"
        if self._layer(name).is_dir():
            self._layer(name).rename(doomed)
        shutil.rmtree(doomed, ignore_errors=True)

    def layers(self) -> list[str]:
        """Chain ids of all committed layers."""
        return [f"sha256:{entry.name}" for entry in self._layers.iterdir()
                if not entry.name.startswith(".")]  # fmt: skip

    def layer_path(self, name: str) -> Path:
        """The directory of a committed layer's files."""
        return self._layer(name) / "diff"

    def prepare(self, key: str, parents: tuple[str, ...]) -> None:
        """Makes a writable snapshot over chain ids (lowest first); raises Conflict, NotFound."""
        for parent in parents:
            if not self.has_layer(parent):
                raise NotFound(f"layer {parent} does not exist")
        active = self._active / key
        try:
            active.mkdir()
        except FileExistsError:
            raise Conflict(f"snapshot {key} exists already") from None
        for name in ("diff", "work"):
            (active / name).mkdir()
            (active / name).chmod(0o755 if name == "diff" else 0o700)
        (active / "parents.json").write_bytes(msgspec.json.encode(_Parent(parents)))

    def mounts(self, key: str) -> tuple[Mount, ...]:
        """The mount of a writable snapshot; raises NotFound."""
        active = self._active / key
        try:
            data = (active / "parents.json").read_bytes()
        except FileNotFoundError:
            raise NotFound(f"snapshot {key} does not exist") from None
        parents = msgspec.json.decode(data, type=_Parent).parents
        lower = ":".join([*(str(self.layer_path(name)) for name in reversed(parents)), self._base])
        options = (f"lowerdir={lower}", f"upperdir={active / 'diff'}", f"workdir={active / 'work'}")
        return (Mount("overlay", "overlay", "", options),)

    def upper(self, key: str) -> Path:
        """The directory of what a writable snapshot changed."""
        return self._active / key / "diff"

    def remove(self, key: str) -> None:
        """Removes a writable snapshot; one that is not there is fine."""
        shutil.rmtree(self._active / key, ignore_errors=True)

    def usage(self, key: str) -> int:
        """Bytes that a writable snapshot holds."""
        return directory_size(self.upper(key))

    def _layer(self, name: str) -> Path:
        return self._layers / _key(name)


def _key(name: str) -> str:
    return name.rpartition(":")[2]


def directory_size(path: Path) -> int:
    """Bytes of the files below a directory, hard links once."""
    seen: set[tuple[int, int]] = set()
    total = 0
    stack = [str(path)]
    while stack:
        try:
            entries = list(os.scandir(stack.pop()))
        except FileNotFoundError:
            continue
        for entry in entries:
            try:
                found = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue
            if entry.is_dir(follow_symlinks=False):
                stack.append(entry.path)
            elif (found.st_dev, found.st_ino) not in seen:
                seen.add((found.st_dev, found.st_ino))
                total += found.st_size
    return total
