"""Layers and their archives: kept while anything needs them, gone when nothing does.

Whoever makes an image holds its layers until the image is recorded, so that removing another image
meanwhile takes nothing away from it. What a killed daemon left goes at the next start.
"""

import contextlib
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import NamedTuple

from wherry.images.catalog import ImageCatalog
from wherry.model.digest import chain_ids
from wherry.model.image import Image
from wherry.store.content.layers import LayerArchives
from wherry.store.snapshot.driver import Snapshots


class Dropped(NamedTuple):
    """Chain ids of removed layers, top first, and the bytes that they and their archives took."""

    chain: tuple[str, ...] = ()
    size: int = 0


class ImageLayers:
    """Counts who needs a layer; thread-safe."""

    def __init__(
        self, catalog: ImageCatalog, snapshots: Snapshots, archives: LayerArchives
    ) -> None:
        self._catalog = catalog
        self._snapshots = snapshots
        self._archives = archives
        self._lock = threading.Lock()
        self._held: Counter[str] = Counter()
        self._making = 0

    @contextlib.contextmanager
    def hold(self, diff_ids: Sequence[str], *, unknown: bool = False) -> Iterator[None]:
        """Keeps layers, lowest first, while the context lasts; removes them if it fails.

        With `unknown` a layer is being made whose digest nobody knows yet.
        """
        held = [*diff_ids, *chain_ids(tuple(diff_ids))]
        with self._lock:
            self._held.update(held)
            self._making += unknown
        failed = True
        try:
            yield
            failed = False
        finally:
            with self._lock:
                self._held -= Counter(held)
                self._making -= unknown
            if failed:
                self._drop(lambda: (chain_ids(tuple(diff_ids)), diff_ids))

    def drop(self, image: Image) -> Dropped:
        """Removes those layers of a forgotten image that nothing else needs."""
        return self._drop(lambda: (image.chain, image.config.rootfs.diff_ids))

    def drop_orphans(self) -> Dropped:
        """Removes every layer that nothing needs, unless one is just being made."""
        return self._drop(
            lambda: ((), ()) if self._making
            else (self._snapshots.layers(), self._archives.diff_ids())
        )  # fmt: skip

    def _drop(self, choose: Callable[[], tuple[Collection[str], Collection[str]]]) -> Dropped:
        """Removes what is not needed of the chain ids and the diff ids that are chosen.

        Layers only vanish while nobody else may look; their files, which take time, go afterwards.
        """
        hidden: list[str] = []
        size = 0
        with self._lock:
            chain, diff_ids = choose()
            needed = self._catalog.used_layers() | self._snapshots.used_layers() | set(self._held)
            kept = self._catalog.used_diff_ids() | set(self._held)
            gone = [name for name in chain
                    if name not in needed and self._snapshots.has_layer(name)]  # fmt: skip
            for name in reversed(gone):
                size += self._snapshots.layer_size(name)
                hidden.append(self._snapshots.hide_layer(name))
            for diff_id in diff_ids:
                if diff_id not in kept and self._archives.has(diff_id):
                    size += self._archives.describe(diff_id).size
                    self._archives.remove(diff_id)
        for name in hidden:
            self._snapshots.abandon_layer(name)
        return Dropped(tuple(reversed(gone)), size)
