"""Pulling: all layers at once into scratch files that survive a cancel, then unpacked in order."""

import hashlib
import json
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from wherry.base.clock import now_ns
from wherry.base.errors import Cancelled, DataCorrupt, NotFound
from wherry.images.catalog import ImageCatalog
from wherry.images.unpack import LayerUnpacker
from wherry.model.credentials import Credentials
from wherry.model.digest import Digest, chain_ids
from wherry.model.image import Image
from wherry.model.image_config import host_architecture
from wherry.model.reference import Reference
from wherry.remote.endpoint import RegistrySettings
from wherry.remote.registry import Registry, RemoteManifest
from wherry.store.content.layers import LayerArchives

Progress = Callable[[dict[str, Any]], None]
_REPORT_SECONDS = 0.1
_INDEX = ("application/vnd.oci.image.index.v1+json",
          "application/vnd.docker.distribution.manifest.list.v2+json")  # fmt: skip
_TRIES = 5


class PullImage:
    """Fetches an image from its registry."""

    def __init__(
        self, catalog: ImageCatalog, unpacker: LayerUnpacker, archives: LayerArchives,
        partial: Path, settings: RegistrySettings,
    ) -> None:  # fmt: skip
        """`partial` keeps begun downloads, by digest, until they are whole."""
        self._catalog = catalog
        self._unpacker = unpacker
        self._archives = archives
        self._partial = partial
        self._settings = settings

    def __call__(
        self, reference: Reference, credentials: Credentials, platform: str, report: Progress,
        cancelled: Callable[[], bool],
    ) -> Image:  # fmt: skip
        """Pulls `reference`, reporting Docker's progress objects.

        Raises ManifestUnknown, AccessDenied, RegistryUnreachable, DataCorrupt, Cancelled.
        """
        registry = Registry(reference, self._settings, credentials)
        wanted = reference.digest or reference.tag
        top = registry.manifest(wanted)
        report({"status": f"Pulling from {reference.path}", "id": wanted})
        manifest = self._for_platform(registry, top, reference, platform)
        document = json.loads(manifest.data)
        raw = b"".join(registry.blob(document["config"]["digest"])[0])
        if Digest.of(raw) != document["config"]["digest"]:
            raise DataCorrupt(f"the configuration of {reference.familiar()} has the wrong content")
        self._layers(registry, document["layers"], raw, report, cancelled)
        digest = f"{reference.familiar_name}@{top.digest}"
        before = self._catalog.find(reference)
        size = sum(layer["size"] for layer in document["layers"])
        image = self._catalog.add(
            raw, size, now_ns(), references=[] if reference.digest else [reference],
            repo_digest=digest,
        )  # fmt: skip
        report({"status": f"Digest: {top.digest}"})
        same = before is not None and before.id == image.id
        what = "Image is up to date" if same else "Downloaded newer image"
        report({"status": f"Status: {what} for {reference.familiar()}"})
        return image

    def _for_platform(
        self, registry: Registry, top: RemoteManifest, reference: Reference, platform: str
    ) -> RemoteManifest:
        document = json.loads(top.data)
        if top.media_type not in _INDEX and "manifests" not in document:
            return top
        if "layers" in document or "config" in document:
            raise DataCorrupt(f"the manifest of {reference.familiar()} is two things at once")
        parts = (platform or f"linux/{host_architecture()}").split("/")
        for entry in document["manifests"]:
            found = entry.get("platform") or {}
            names = [found.get("os"), found.get("architecture"), found.get("variant")]
            if names[: len(parts)] == parts:
                return registry.manifest(entry["digest"])
        wanted = "/".join(parts)
        raise NotFound(f"no matching manifest for {wanted} in the manifest list entries")

    def _layers(
        self, registry: Registry, layers: list[dict[str, Any]], raw: bytes, report: Progress,
        cancelled: Callable[[], bool],
    ) -> None:  # fmt: skip
        diff_ids: list[str] = json.loads(raw)["rootfs"]["diff_ids"]
        if len(diff_ids) != len(layers):
            raise DataCorrupt("the manifest and the configuration differ in their layers")
        chain = chain_ids(tuple(diff_ids))
        missing = []
        for layer, diff_id, name in zip(layers, diff_ids, chain, strict=True):
            short = layer["digest"].partition(":")[2][:12]
            if self._unpacker.has(name) and self._archives.has(diff_id):
                report({"status": "Already exists", "progressDetail": {}, "id": short})
            else:
                report({"status": "Pulling fs layer", "progressDetail": {}, "id": short})
                missing.append(layer)
        with ThreadPoolExecutor(self._settings.downloads, thread_name_prefix="download") as pool:
            downloads = {
                layer["digest"]: pool.submit(self._download, registry, layer, report, cancelled)
                for layer in missing
            }
            try:
                for number, (layer, diff_id) in enumerate(zip(layers, diff_ids, strict=True)):
                    if layer["digest"] in downloads:
                        path = downloads[layer["digest"]].result()
                        self._unpack(path, tuple(diff_ids[:number]), diff_id, layer, report)
            except BaseException:
                for future in downloads.values():
                    future.cancel()
                raise
        for layer in missing:
            (self._partial / layer["digest"].replace(":", "-")).unlink(missing_ok=True)

    def _unpack(
        self, path: Path, below: tuple[str, ...], diff_id: str, layer: dict[str, Any],
        report: Progress,
    ) -> None:  # fmt: skip
        short = layer["digest"].partition(":")[2][:12]
        detail = {"current": layer["size"], "total": layer["size"]}
        report({"status": "Extracting", "progressDetail": detail, "id": short})
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            self._unpacker.unpack(descriptor, below, diff_id)
        finally:
            os.close(descriptor)
        report({"status": "Pull complete", "progressDetail": {}, "id": short})

    def _download(
        self, registry: Registry, layer: dict[str, Any], report: Progress,
        cancelled: Callable[[], bool],
    ) -> Path:  # fmt: skip
        """Brings a blob to its scratch file, going on where an earlier pull stopped."""
        digest, size = str(Digest.parse(layer["digest"])), int(layer["size"])
        path = self._partial / digest.replace(":", "-")
        self._partial.mkdir(parents=True, exist_ok=True)
        for attempt in range(1, _TRIES + 1):
            try:
                self._fetch(registry, digest, size, path, report, cancelled)
                break
            except (OSError, EOFError):
                if attempt == _TRIES:
                    raise
                time.sleep(min(0.2 * 2**attempt, 5))  # a broken connection; bytes are kept
        self._verify(path, digest)
        report({"status": "Download complete", "progressDetail": {}, "id": digest[7:19]})
        return path

    def _fetch(
        self, registry: Registry, digest: str, size: int, path: Path, report: Progress,
        cancelled: Callable[[], bool],
    ) -> None:  # fmt: skip
        with path.open("ab") as file:
            done = file.tell()
            if done > size:
                file.truncate(0)
                done = 0
            if done == size:
                return
            pieces, resumed = registry.blob(digest, done)
            if done and not resumed:
                file.truncate(0)
                done = 0
            last = 0.0
            for piece in pieces:
                if cancelled():
                    raise Cancelled("the pull was cancelled: what came is kept")
                file.write(piece)
                done += len(piece)
                if done > size:
                    raise DataCorrupt(f"blob {digest} is longer than its manifest says")
                if time.monotonic() - last > _REPORT_SECONDS:
                    last = time.monotonic()
                    detail = {"current": done, "total": size}
                    report({"status": "Downloading", "progressDetail": detail, "id": digest[7:19]})
        if done < size:
            raise EOFError(f"blob {digest} ended early")

    def _verify(self, path: Path, digest: str) -> None:
        hashed = hashlib.new(digest.partition(":")[0])
        with path.open("rb") as file:
            while data := file.read(1 << 20):
                hashed.update(data)
        if hashed.hexdigest() != digest.partition(":")[2]:
            path.unlink()
            raise DataCorrupt(
                f"filesystem layer verification failed for digest {digest}: the registry sent "
                "other content"
            )
