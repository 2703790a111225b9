"""Directories of layers and of writable snapshots, the same for every driver.

`layers/<name>/diff` holds a committed layer, `active/<key>/diff` a writable snapshot. A layer is
made in `layers/.<name>.tmp` and appears by rename, so that half-made ones are told apart after a
kill.
"""

import contextlib
from pathlib import Path

import msgspec

from wherry.base.errors import Conflict, NotFound
from wherry.base.files import write_atomic
from wherry.base.ids import new_id
from wherry.linux.tree import remove_tree


class _Parent(msgspec.Struct, frozen=True):
    parents: tuple[str, ...]


class LayerDirectories:
    """Committed layers by chain id."""

    def __init__(self, root: Path) -> None:
        """Removes what was half made, or half removed, when an earlier daemon was killed."""
        self._root = root
        root.mkdir(parents=True, exist_ok=True)
        root.chmod(0o710)
        for leftover in root.glob(".*.tmp"):
            remove_tree(leftover)

    def has(self, name: str) -> bool:
        """Whether a layer is there, whole."""
        return self._layer(name).is_dir()

    def path(self, name: str) -> Path:
        """The directory of a layer's files."""
        return self._layer(name) / "diff"

    def size(self, name: str) -> int:
        """Bytes of the files of a layer, as told when it was made; raises NotFound."""
        try:
            return int((self._layer(name) / "size").read_text())
        except FileNotFoundError:
            raise NotFound(f"layer {name} does not exist") from None

    def names(self) -> list[str]:
        """Chain ids of all layers."""
        return [f"sha256:{entry.name}" for entry in self._root.iterdir()
                if not entry.name.startswith(".")]  # fmt: skip

    def begin(self, name: str) -> Path:
        """A new directory with an empty `diff` in it."""
        temporary = self._temporary(name)
        remove_tree(temporary)
        (temporary / "diff").mkdir(parents=True)
        (temporary / "diff").chmod(0o755)
        return temporary

    def commit(self, begun: str, name: str, size: int) -> None:
        """Makes a begun layer visible by its chain id; one that is there already stays."""
        remove_tree(self._temporary(begun) / "work")
        (self._temporary(begun) / "size").write_text(str(size))
        if self.has(name):
            self.abandon(begun)
            return
        self._temporary(begun).rename(self._layer(name))

    def abandon(self, begun: str) -> None:
        """Removes a begun layer."""
        remove_tree(self._temporary(begun))

    def hide(self, name: str) -> str:
        """Takes a layer away at once, whole; what is left of it is to be abandoned by this name."""
        doomed = new_id()
        self._layer(name).rename(self._temporary(doomed))
        return doomed

    def _layer(self, name: str) -> Path:
        return self._root / name.rpartition(":")[2]

    def _temporary(self, name: str) -> Path:
        return self._root / f".{name.rpartition(':')[2]}.tmp"


class ActiveDirectories:
    """Writable snapshots by key."""

    def __init__(self, root: Path) -> None:
        self._root = root
        root.mkdir(parents=True, exist_ok=True)
        root.chmod(0o710)

    def make(self, key: str, parents: tuple[str, ...]) -> Path:
        """A new directory with an empty `diff` in it; raises Conflict."""
        active = self._root / key
        try:
            active.mkdir()
        except FileExistsError:
            raise Conflict(f"snapshot {key} exists already") from None
        try:
            write_atomic(active / "parents.json", msgspec.json.encode(_Parent(parents)))
            (active / "diff").mkdir()
            (active / "diff").chmod(0o755)
        except OSError:
            remove_tree(active)
            raise
        return active

    def keys(self) -> list[str]:
        """Keys of all snapshots."""
        return sorted(entry.name for entry in self._root.iterdir())

    def parents(self, key: str) -> tuple[str, ...]:
        """Chain ids of the layers below, lowest first; raises NotFound."""
        try:
            data = (self._root / key / "parents.json").read_bytes()
        except FileNotFoundError:
            raise NotFound(f"snapshot {key} does not exist") from None
        return msgspec.json.decode(data, type=_Parent).parents

    def used(self) -> set[str]:
        """Chain ids of the layers below all snapshots."""
        found: set[str] = set()
        for entry in self._root.iterdir():
            # One that is just being made or removed may be without.
            with contextlib.suppress(NotFound):
                found.update(self.parents(entry.name))
        return found

    def path(self, key: str) -> Path:
        """The directory of a snapshot's files."""
        return self._root / key / "diff"

    def remove(self, key: str) -> None:
        """Removes a snapshot; one that is not there is fine."""
        remove_tree(self._root / key)
