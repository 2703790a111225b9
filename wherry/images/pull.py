"""Pulling: all layers at once into files that survive a cancel, unpacked in order as they come."""

import contextlib
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec

from wherry.base import crash_points
from wherry.base.clock import now_ns
from wherry.base.errors import Cancelled, DataCorrupt, InvalidParameter, NotFound, WherryError
from wherry.images.attestations import SUBJECT, Attestations
from wherry.images.catalog import ImageCatalog
from wherry.images.downloads import Downloads, Progress, short
from wherry.images.layers import ImageLayers
from wherry.images.records import Origin
from wherry.images.unpack import LayerUnpacker
from wherry.model.credentials import Credentials
from wherry.model.digest import Digest, chain_ids
from wherry.model.docker.progress import moving, standing
from wherry.model.image import Image
from wherry.model.image_config import ImageConfig, host_architecture
from wherry.model.manifest import (
    Descriptor,
    Index,
    Manifest,
    Platform,
    check_is_image,
    parse_manifest,
)
from wherry.model.reference import Reference
from wherry.remote.endpoint import RegistrySettings
from wherry.remote.errors import ManifestUnknown
from wherry.remote.registry import Registry, RemoteManifest
from wherry.store.content.layers import LayerArchives

_CONFIG_LIMIT = 8 << 20
_NESTING = 3


class PullImage:
    """Fetches images from their registry."""

    def __init__(
        self, catalog: ImageCatalog, unpacker: LayerUnpacker, layers: ImageLayers,
        archives: LayerArchives, downloads: Downloads, settings: RegistrySettings,
        attestations: Attestations,
    ) -> None:  # fmt: skip
        self._attestations = attestations
        self._layers = layers
        self._catalog = catalog
        self._unpacker = unpacker
        self._archives = archives
        self._downloads = downloads
        self._settings = settings

    def all_tags(
        self, reference: Reference, credentials: Credentials, platform: str, report: Progress,
        cancelled: Callable[[], bool],
    ) -> list[Image]:  # fmt: skip
        """Pulls every tag of a repository; tags that are no image for this platform are named."""
        pulled: list[Image] = []
        for tag in Registry(reference, self._settings, credentials).tags():
            tagged = msgspec.structs.replace(reference, tag=tag)
            try:
                pulled.append(self(tagged, credentials, platform, report, cancelled))
            except (ManifestUnknown, DataCorrupt, NotFound) as error:
                report({"status": f"Skipped {tagged.familiar()}: {error}"})
        return pulled

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
        found, chosen = self._choose(registry, top, reference, platform)
        report({"status": f"Pulling from {reference.path}", "id": wanted})
        raw = _configuration(registry, chosen, reference)
        config = _check_config(raw, chosen, reference, platform)
        before = self._catalog.find(reference)
        diff_ids = config.rootfs.diff_ids
        with self._layers.hold(diff_ids):
            self._fetch(registry, chosen.layers, diff_ids, report, cancelled)
            image = self._catalog.add(
                raw, self._unpacker.size(diff_ids), now_ns(),
                references=[] if reference.digest else [reference],
                repo_digest=f"{reference.familiar_name}@{top.digest}",
                origin=Origin(found.data, found.media_type or chosen.media_type,
                              top.data if found is not top else b"", reference.name),
            )  # fmt: skip
        self._take_attestations(registry, top, found)
        report({"status": f"Digest: {top.digest}"})
        same = before is not None and before.id == image.id
        what = "Image is up to date" if same else "Downloaded newer image"
        report({"status": f"Status: {what} for {reference.familiar()}"})
        return image

    def _choose(
        self, registry: Registry, top: RemoteManifest, reference: Reference, platform: str
    ) -> tuple[RemoteManifest, Manifest]:
        name = reference.familiar()
        wanted = Platform.parse(platform or f"linux/{host_architecture()}")
        found = top
        for _ in range(_NESTING):
            document = parse_manifest(found.data, name, found.media_type)
            if isinstance(document, Manifest):
                check_is_image(document)
                return found, document
            entry = _nested(document) or document.choose(wanted)
            if entry is None:
                raise NotFound(
                    f"no matching manifest for {wanted} in the manifest list entries: {name}"
                )
            found = registry.manifest(entry.digest)
        raise DataCorrupt(f"the index of {name} holds indexes in indexes")

    def _take_attestations(
        self, registry: Registry, top: RemoteManifest, found: RemoteManifest
    ) -> None:
        """Keeps what the index says of the image; it is no fault of the image if it cannot be."""
        document = parse_manifest(top.data, top.digest)
        if not isinstance(document, Index):
            return

        def read(entry: Descriptor, is_manifest: bool) -> bytes | None:
            try:
                if is_manifest:
                    return registry.manifest(entry.digest).data
                return _blob(registry, entry)
            except WherryError:
                return None

        self._attestations.take(
            (entry for entry in document.manifests
             if (entry.annotations or {}).get(SUBJECT) == found.digest),
            read,
        )  # fmt: skip

    def _fetch(
        self, registry: Registry, layers: Sequence[Descriptor], diff_ids: tuple[str, ...],
        report: Progress, cancelled: Callable[[], bool],
    ) -> None:  # fmt: skip
        missing: dict[str, Descriptor] = {}
        for layer, diff_id, name in zip(layers, diff_ids, chain_ids(diff_ids), strict=True):
            if self._unpacker.has(name) and self._archives.has(diff_id):
                report(standing("Already exists", short(layer.digest)))
            else:
                report(standing("Pulling fs layer", short(layer.digest)))
                missing[layer.digest] = layer
        stop = _Stop(cancelled)
        with contextlib.ExitStack() as stack:
            stack.enter_context(self._downloads.held(list(missing)))
            pool = stack.enter_context(
                ThreadPoolExecutor(self._settings.downloads, thread_name_prefix="download")
            )
            stack.callback(stop.stop)  # before the pool's own end, which waits for its threads
            coming = {
                digest: pool.submit(self._downloads.fetch, registry, layer, report, stop)
                for digest, layer in missing.items()
            }
            for layer in list(missing.values())[self._settings.downloads :]:
                report(standing("Waiting", short(layer.digest)))
            try:
                for number, (layer, diff_id) in enumerate(zip(layers, diff_ids, strict=True)):
                    if layer.digest in coming:
                        path = coming[layer.digest].result()
                        crash_points.reach("pull.downloaded")
                        if cancelled():
                            raise Cancelled("the pull was cancelled: what came is kept")
                        self._unpack(path, diff_ids[:number], diff_id, layer, report)
            except BaseException as error:
                for future in coming.values():
                    future.cancel()
                if isinstance(error, DataCorrupt | InvalidParameter):
                    for digest in missing:
                        self._downloads.used(digest)  # bad layers are not kept for another try
                raise
            for digest in missing:
                self._downloads.used(digest)

    def _unpack(
        self, path: Path, below: tuple[str, ...], diff_id: str, layer: Descriptor,
        report: Progress,
    ) -> None:  # fmt: skip
        name = short(layer.digest)

        def progress(done: int) -> None:
            report(moving("Extracting", name, done, layer.size))

        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            progress(0)
            try:
                self._unpacker.unpack(descriptor, below, diff_id, progress)
            except DataCorrupt as error:
                raise DataCorrupt(f"failed to register layer: {error}") from error
            progress(layer.size)
        finally:
            os.close(descriptor)
        report(standing("Pull complete", name))


class _Stop:
    """Asked by downloads: the client has gone, or another layer has failed."""

    def __init__(self, cancelled: Callable[[], bool]) -> None:
        self._cancelled = cancelled
        self._stopped = False

    def __call__(self) -> bool:
        return self._stopped or self._cancelled()

    def stop(self) -> None:
        """Ends what has not ended."""
        self._stopped = True


def _nested(index: Index) -> Descriptor | None:
    """The only entry of an index that names no platform: an index of its own, or a bare image."""
    entries = [entry for entry in index.manifests if not entry.is_attestation]
    return entries[0] if len(entries) == 1 and entries[0].platform is None else None


def _configuration(registry: Registry, manifest: Manifest, reference: Reference) -> bytes:
    config = manifest.config
    if config.size > _CONFIG_LIMIT:
        raise DataCorrupt(f"the configuration of {reference.familiar()} is too large")
    return _blob(registry, config)


def _blob(registry: Registry, described: Descriptor) -> bytes:
    """A small blob, verified."""
    pieces, _ = registry.blob(described.digest)
    raw = bytearray()
    with contextlib.closing(pieces):
        for piece in pieces:
            raw += piece
            if len(raw) > described.size:
                break
    if Digest.of(bytes(raw)) != described.digest:
        raise DataCorrupt(f"blob {described.digest} has the wrong content")
    return bytes(raw)


def _check_config(
    raw: bytes, manifest: Manifest, reference: Reference, platform: str
) -> ImageConfig:
    name = reference.familiar()
    try:
        config = msgspec.json.decode(raw, type=ImageConfig)
    except msgspec.MsgspecError as error:
        raise DataCorrupt(f"the configuration of {name} cannot be read: {error}") from None
    if len(config.rootfs.diff_ids) != len(manifest.layers):
        raise DataCorrupt(f"the manifest and the configuration of {name} differ in their layers")
    for diff_id in config.rootfs.diff_ids:
        Digest.parse(diff_id)
    if config.os not in ("", "linux"):
        raise DataCorrupt(
            f'image operating system "{config.os}" cannot be used on this platform: operating '
            "system is not supported"
        )
    own = Platform(config.architecture, config.os or "linux", config.variant)
    if platform and not own.satisfies(Platform.parse(platform)):
        raise NotFound(
            f"image with reference {name} was found but its platform ({own}) does not match the "
            f"specified platform ({platform})"
        )
    return config
