"""The snapshots of a container: its own layer, and those of the images that it mounts."""

from collections.abc import Sequence

from wherry.engine.containers.container import MountPoint
from wherry.store.snapshot.driver import Snapshots


def remove_snapshots(snapshots: Snapshots, identifier: str, points: Sequence[MountPoint]) -> None:
    """Removes them all; what is not there is fine."""
    for key in (identifier, *(point.snapshot for point in points if point.snapshot)):
        snapshots.remove(key)
