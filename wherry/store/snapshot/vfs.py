"""Snapshots as copies, for places where no overlay can be made: every layer is a whole tree.

`base` is what the lowest layer begins with. Blocks are shared where the file system can.
"""

import os
from pathlib import Path

from wherry.base.errors import NotFound
from wherry.linux.tree import copy_tree
from wherry.model.mount import Mount
from wherry.store.snapshot.base import make_base
from wherry.store.snapshot.layout import ActiveDirectories, LayerDirectories
from wherry.store.snapshot.size import added_size


class CopiedSnapshots:
    """Layers below `root`."""

    name = "vfs"
    complete = True

    def __init__(self, root: Path) -> None:
        self._layers = LayerDirectories(root / "layers")
        self._active = ActiveDirectories(root / "active")
        self._base = make_base(root / "base")

    def has_layer(self, name: str) -> bool:
        """Whether a committed layer of this chain id exists."""
        return self._layers.has(name)

    def layers(self) -> list[str]:
        """Chain ids of all committed layers."""
        return self._layers.names()

    def used_layers(self) -> set[str]:
        """Chain ids of the layers below writable snapshots."""
        return self._active.used()

    def begin_layer(self, name: str, parents: tuple[str, ...]) -> Mount:
        """A directory that holds what the layers below do."""
        source = self._tree(parents)
        begun = self._layers.begin(name)
        _copy(source, begun / "diff")
        return Mount("bind", str(begun / "diff"), "", ())

    def commit_layer(self, begun: str, name: str, size: int) -> None:
        """Makes a begun layer visible under its chain id; one that is there already stays."""
        self._layers.commit(begun, name, size)

    def abandon_layer(self, name: str) -> None:
        """Removes a begun layer."""
        self._layers.abandon(name)

    def hide_layer(self, name: str) -> str:
        """Takes a committed layer away at once; the name by which to abandon what is left."""
        return self._layers.hide(name)

    def layer_size(self, name: str) -> int:
        """Bytes of the files that a committed layer brought; raises NotFound."""
        return self._layers.size(name)

    def prepare(self, key: str, parents: tuple[str, ...]) -> None:
        """Makes a writable copy of chain ids (lowest first); raises Conflict, NotFound."""
        source = self._tree(parents)
        active = self._active.make(key, parents)
        _copy(source, active / "diff")

    def active(self) -> list[str]:
        """Keys of all writable snapshots, whole or half made."""
        return self._active.keys()

    def mounts(self, key: str) -> tuple[Mount, ...]:
        """The mount of a writable snapshot; raises NotFound."""
        self._active.parents(key)
        return (Mount("bind", str(self._active.path(key)), "", ()),)

    def lower(self, key: str) -> tuple[str, ...]:
        """The directory that a snapshot was copied from; raises NotFound."""
        return (str(self._tree(self._active.parents(key))),)

    def upper(self, key: str) -> Path:
        """The directory of a writable snapshot."""
        return self._active.path(key)

    def remove(self, key: str) -> None:
        """Removes a writable snapshot; one that is not there is fine."""
        self._active.remove(key)

    def usage(self, key: str) -> int:
        """Bytes that a writable snapshot holds beyond the layers below."""
        return added_size(Path(self.lower(key)[0]), self.upper(key))

    def _tree(self, parents: tuple[str, ...]) -> Path:
        if not parents:
            return self._base
        if not self.has_layer(parents[-1]):
            raise NotFound(f"layer {parents[-1]} does not exist")
        return self._layers.path(parents[-1])


def _copy(source: Path, target: Path) -> None:
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    reading = os.open(source, flags)
    try:
        writing = os.open(target, flags)
        try:
            copy_tree(reading, writing)
        finally:
            os.close(writing)
    finally:
        os.close(reading)
