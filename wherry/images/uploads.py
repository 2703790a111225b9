"""Layers on their way to a registry: left out where they are there, mounted, or sent and resumed.

A session that was cut goes on where the registry says it stopped, also in the next push, and after
a restart of the daemon.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence

from wherry.base.errors import Cancelled, NotFound
from wherry.images.downloads import Progress, pause, short
from wherry.model.docker.progress import moving, standing
from wherry.model.manifest import Descriptor
from wherry.model.reference import Reference
from wherry.remote.errors import AuthorizationExpired, RegistryBusy, RegistryRefused
from wherry.remote.registry import Registry
from wherry.remote.uploads import BlobUploads
from wherry.store.content.layers import LayerArchives
from wherry.store.records.database import Database, Delete, Put

_PIECE = 1 << 18
_ATTEMPTS = 5
_KIND = "upload"
_WAIT_SECONDS = 30
_REPORT_SECONDS = 0.1
_CANCELLED = "the push was cancelled: what the registry has is kept there"


class Uploads:
    """The uploads of all pushes."""

    def __init__(self, archives: LayerArchives, database: Database) -> None:
        """Reads which sessions an earlier daemon had."""
        self._archives = archives
        self._database = database
        self._lock = threading.Lock()
        known = database.read_all(_KIND)
        self._sessions = {key: place.decode() for key, place in known.items()}

    def layer(
        self, registry: Registry, repository: Reference, layer: Descriptor, diff_id: str,
        sources: Sequence[str], report: Progress, cancelled: Callable[[], bool],
    ) -> None:  # fmt: skip
        """Brings one layer there; `sources` are paths of repositories there that may have it."""
        name = short(diff_id)
        key = f"{repository.name}@{layer.digest}"
        if registry.blob_size(layer.digest) is not None:
            self._forget(key)
            report(standing("Layer already exists", name))
            return
        uploads = BlobUploads(registry)
        with self._lock:
            place = self._sessions.get(key, "")
        if not place:
            for source in sources:
                place = uploads.mount(layer.digest, source)
                if not place:
                    report(standing(f"Mounted from {source}", name))
                    return
        try:
            self._send(uploads, layer, diff_id, place, key, report, cancelled)
        except RegistryRefused:
            self._forget(key)
            raise
        report(standing("Pushed", name))

    def obtain(self, registry: Registry, layer: Descriptor, sources: Sequence[str]) -> bool:
        """Whether the registry has a layer there that is not here, or takes it from a source."""
        if registry.blob_size(layer.digest) is not None:
            return True
        uploads = BlobUploads(registry)
        return any(not uploads.mount(layer.digest, source) for source in sources)

    def document(self, registry: Registry, digest: str, data: bytes) -> None:
        """Brings a small blob there, such as a configuration."""
        if registry.blob_size(digest) is not None:
            return
        uploads = BlobUploads(registry)
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                place = uploads.send(uploads.begin(), iter((data,)), 0, len(data))
                uploads.finish(place, digest)
                return
            except RegistryBusy:
                if attempt >= _ATTEMPTS:
                    raise

    def _send(
        self, uploads: BlobUploads, layer: Descriptor, diff_id: str, place: str,
        key: str, report: Progress, cancelled: Callable[[], bool],
    ) -> None:  # fmt: skip
        """Sends until the registry has all of it; a refused session gives way to a new one."""
        resumed = bool(place)
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                offset = 0
                if resumed and place:
                    place, offset = uploads.arrived(place)
                place = place or uploads.begin()
                self._remember(key, place)
                body = self._pieces(layer, diff_id, offset, report, cancelled)
                place = uploads.send(place, body, offset, layer.size)
                uploads.finish(place, layer.digest)
                self._forget(key)
                return
            except (RegistryBusy, AuthorizationExpired):
                if cancelled():
                    raise Cancelled(_CANCELLED) from None
                if attempt >= _ATTEMPTS:
                    raise
            except RegistryRefused:
                if not resumed or attempt >= _ATTEMPTS:
                    raise
                place = ""  # the registry forgot the session, or holds other bytes
            resumed = True
            if attempt > 1:
                pause(attempt, short(diff_id), report, cancelled)

    def _pieces(
        self, layer: Descriptor, diff_id: str, offset: int, report: Progress,
        cancelled: Callable[[], bool],
    ) -> Iterator[bytes]:  # fmt: skip
        if self._archives.describe(diff_id).digest != layer.digest:
            raise NotFound(f"the archive of layer {diff_id} was replaced meanwhile: push again")
        last = 0.0
        with self._archives.open(diff_id) as file:
            file.seek(offset)
            while piece := file.read(_PIECE):
                if cancelled():
                    raise Cancelled(_CANCELLED)
                if time.monotonic() - last > _REPORT_SECONDS:
                    last = time.monotonic()
                    report(moving("Pushing", short(diff_id), offset, layer.size))
                yield piece
                offset += len(piece)
        report(moving("Pushing", short(diff_id), offset, layer.size))

    def _remember(self, key: str, place: str) -> None:
        with self._lock:
            self._sessions[key] = place
        # Before a byte is sent: after a kill nobody else knows of the session.
        self._database.submit([Put(_KIND, key, place.encode())]).result(_WAIT_SECONDS)

    def _forget(self, key: str) -> None:
        with self._lock:
            if self._sessions.pop(key, None) is not None:
                self._database.submit([Delete(_KIND, key)])
