"""Snapshots as overlays: a layer is what it changed, `active/<key>/work` is the kernel's own.

`base` lies below every image.
"""

from pathlib import Path

from wherry.base.errors import NotFound
from wherry.linux.tree import copy_root_attributes
from wherry.model.mount import Mount
from wherry.store.snapshot.base import make_base
from wherry.store.snapshot.layout import ActiveDirectories, LayerDirectories
from wherry.store.snapshot.size import directory_size


class OverlaySnapshots:
    """Layers below `root`."""

    name = "overlay2"
    complete = False

    def __init__(self, root: Path) -> None:
        self._layers = LayerDirectories(root / "layers")
        self._active = ActiveDirectories(root / "active")
        self._base = str(make_base(root / "base"))

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
        """The lowest layer is a plain directory; a later one is unpacked in its overlay.

        So names lead where they lead in a container: through the links of the layers below, into
        directories with the owners and modes that they have there.
        """
        self._require(parents)
        begun = self._layers.begin(name)
        if not parents:
            return Mount("bind", str(begun / "diff"), "", ())
        return self._overlay(begun, [str(self._layers.path(item)) for item in reversed(parents)])

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
        """Makes a writable snapshot over chain ids (lowest first); raises Conflict, NotFound."""
        self._require(parents)
        active = self._active.make(key, parents)
        (active / "work").mkdir(mode=0o700)
        if parents:
            copy_root_attributes(self._layers.path(parents[-1]), active / "diff")

    def active(self) -> list[str]:
        """Keys of all writable snapshots, whole or half made."""
        return self._active.keys()

    def mounts(self, key: str) -> tuple[Mount, ...]:
        """The mount of a writable snapshot; raises NotFound."""
        diff = self._active.path(key)
        lower = ":".join(map(_escaped, self.lower(key)))
        options = (f"lowerdir={lower}", f"upperdir={diff}", f"workdir={diff.parent / 'work'}")
        return (Mount("overlay", "overlay", "", options),)

    def lower(self, key: str) -> tuple[str, ...]:
        """Directories of the layers below a snapshot, top first; raises NotFound."""
        parents = self._active.parents(key)
        return (*(str(self._layers.path(name)) for name in reversed(parents)), self._base)

    def upper(self, key: str) -> Path:
        """The directory of what a writable snapshot changed."""
        return self._active.path(key)

    def remove(self, key: str) -> None:
        """Removes a writable snapshot; one that is not there is fine."""
        self._active.remove(key)

    def usage(self, key: str) -> int:
        """Bytes that a writable snapshot holds."""
        return directory_size(self.upper(key))

    def _overlay(self, begun: Path, lower: list[str]) -> Mount:
        copy_root_attributes(Path(lower[0]), begun / "diff")
        (begun / "work").mkdir(mode=0o700)
        options = (f"lowerdir={':'.join(map(_escaped, lower))}", f"upperdir={begun / 'diff'}",
                   f"workdir={begun / 'work'}")  # fmt: skip
        return Mount("overlay", "overlay", "", options)

    def _require(self, parents: tuple[str, ...]) -> None:
        for parent in parents:
            if not self.has_layer(parent):
                raise NotFound(f"layer {parent} does not exist")


def _escaped(path: str) -> str:
    return path.replace("\\", "\\\\").replace(":", "\\:")
