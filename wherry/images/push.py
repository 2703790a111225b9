"""Pushing: an image, or a whole index where all of it is here, under one tag or all."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import msgspec

from wherry.base.errors import Cancelled, NotFound
from wherry.images.attestations import Attestation, Attestations
from wherry.images.catalog import ImageCatalog
from wherry.images.downloads import Progress, short
from wherry.images.packing import Packed, Packer
from wherry.images.records import Origin
from wherry.images.uploads import Uploads
from wherry.model.credentials import Credentials
from wherry.model.digest import Digest
from wherry.model.docker.progress import standing
from wherry.model.image import Image
from wherry.model.manifest import OCI_INDEX, Descriptor
from wherry.model.reference import Reference
from wherry.remote.endpoint import RegistrySettings
from wherry.remote.registry import Registry


class _Content(NamedTuple):
    """What a tag will name: the index if there is one, and the manifests that go with it."""

    top: Descriptor
    data: bytes
    manifests: tuple[Packed, ...]
    attestations: tuple[Attestation, ...] = ()
    replaced: Descriptor | None = None


class PushImage:
    """Sends images to their registry."""

    def __init__(
        self, catalog: ImageCatalog, packer: Packer, uploads: Uploads,
        attestations: Attestations, settings: RegistrySettings,
    ) -> None:  # fmt: skip
        self._attestations = attestations
        self._catalog = catalog
        self._packer = packer
        self._uploads = uploads
        self._settings = settings

    def __call__(
        self, reference: Reference, credentials: Credentials, platform: str, report: Progress,
        cancelled: Callable[[], bool],
    ) -> list[Image]:  # fmt: skip
        """Pushes a tag, or all tags of a repository if the reference names none.

        Raises NotFound for what is not here, PushDenied and its kin for what may not be there.
        """
        report({"status": f"The push refers to repository [{reference.name}]"})
        tags = self._tags(reference)
        registry = Registry(reference, self._settings, credentials, push=True)
        pushed: list[Image] = []
        for tag in tags:
            tagged = msgspec.structs.replace(reference, tag=tag)
            content = self._content(registry, tagged, platform)
            self._blobs(registry, tagged, content, report, cancelled)
            self._name(registry, tagged, content, report)
            pushed.append(self._catalog.get(tagged.familiar()))
        return pushed

    def _tags(self, reference: Reference) -> list[str]:
        if reference.digest:
            raise NotFound("cannot push a digest reference")
        tags = self._catalog.tags(reference.name)
        if not tags:
            raise NotFound(
                f"An image does not exist locally with the tag: {reference.familiar_name}"
            )
        if reference.tag and reference.tag not in tags:
            raise NotFound(f"tag does not exist: {reference.familiar()}")
        return [reference.tag] if reference.tag else tags

    def _content(self, registry: Registry, tagged: Reference, platform: str) -> _Content:
        name = tagged.familiar()
        image = self._catalog.get_for(name, platform)
        index = self._catalog.index_of(name)
        top = None
        if index and not platform:
            kind = msgspec.json.decode(index).get("mediaType", OCI_INDEX)
            top = Descriptor(kind, str(Digest.of(index)), len(index))
            whole = self._whole(registry, tagged)
            if whole:
                return _Content(top, index, *whole)
        packed = self._original(registry, tagged, image)
        packed = packed or self._packer.pack(image, compress=True)
        return _Content(packed.descriptor, packed.data, (packed,), (), top)

    def _whole(
        self, registry: Registry, tagged: Reference
    ) -> tuple[tuple[Packed, ...], tuple[Attestation, ...]] | None:
        """All of an index, but what the registry has already; None if some of it is nowhere."""
        images: list[Packed] = []
        attestations: list[Attestation] = []
        for entry, image in self._catalog.variants(tagged.familiar()):
            packed = image and self._original(registry, tagged, image)
            attestation = self._attestations.find(entry)
            if packed:
                images.append(packed)
            elif attestation:
                attestations.append(attestation)
            elif not registry.digest_of(entry.digest):
                return None
        return tuple(images), tuple(attestations)

    def _original(self, registry: Registry, tagged: Reference, image: Image) -> Packed | None:
        """The manifest that an image came with, if the registry can have all of its layers."""
        packed = self._packer.named(image)
        if packed is None:
            return None
        for layer, diff_id in self._packer.missing(packed):
            sources = self._sources(tagged, diff_id)
            if not self._uploads.obtain(registry, layer, sources):
                return None
        return packed

    def _sources(self, tagged: Reference, diff_id: str) -> list[str]:
        """Paths of other repositories of the registry that are known to have a layer."""
        found = self._catalog.repositories(tagged.domain, diff_id)
        return [path for path in found if path != tagged.path]

    def _blobs(
        self, registry: Registry, tagged: Reference, content: _Content, report: Progress,
        cancelled: Callable[[], bool],
    ) -> None:  # fmt: skip
        layers = {
            layer.digest: (layer, diff_id)
            for packed in content.manifests
            for layer, diff_id in zip(packed.manifest.layers, packed.diff_ids, strict=True)
        }
        waiting = list(reversed(layers.values()))
        for number, (_, diff_id) in enumerate(waiting):
            report(standing("Preparing", short(diff_id)))
            if number >= self._settings.uploads:
                report(standing("Waiting", short(diff_id)))
        if waiting:
            # One request before all others, so that one authorization serves them.
            registry.blob_size(waiting[0][0].digest)
        failed = _Failed(cancelled)
        with ThreadPoolExecutor(self._settings.uploads, thread_name_prefix="upload") as pool:
            for layer, diff_id in waiting:
                sources = self._sources(tagged, diff_id)
                pool.submit(failed.guarded, self._uploads.layer, registry, tagged, layer,
                            diff_id, sources, report, failed)  # fmt: skip
        failed.check()
        for packed in content.manifests:
            image = self._catalog.get(packed.manifest.config.digest)
            self._uploads.document(registry, image.id, image.raw)
        for attestation in content.attestations:
            for digest, data in attestation.blobs.items():
                self._uploads.document(registry, digest, data)

    def _name(
        self, registry: Registry, tagged: Reference, content: _Content, report: Progress
    ) -> None:
        below: list[Packed | Attestation] = [*content.manifests, *content.attestations]
        for item in below:
            described = item.descriptor
            if described.digest != content.top.digest:
                registry.put_manifest(described.digest, described.media_type, item.data)
        top = content.top
        registry.put_manifest(tagged.tag, top.media_type, content.data)
        for packed in content.manifests:
            # What was made here is known by this manifest from now on.
            image = self._catalog.get(packed.manifest.config.digest)
            self._catalog.add(
                image.raw, image.size, image.added_at,
                repo_digest=f"{tagged.familiar_name}@{top.digest}",
                origin=None if image.manifest else Origin(
                    packed.data, packed.descriptor.media_type
                ),
            )  # fmt: skip
        if content.replaced:
            report({"progressDetail": {}, "aux": {
                "manifestPushedInsteadOfIndex": True,
                "originalIndex": content.replaced, "selectedManifest": top,
            }})  # fmt: skip
        report({"status": f"{tagged.tag}: digest: {top.digest} size: {top.size}"})
        report({"progressDetail": {},
                "aux": {"Tag": tagged.tag, "Digest": top.digest, "Size": top.size}})  # fmt: skip


class _Failed:
    """Tells the other uploads when the client has gone, or when one of them has failed."""

    def __init__(self, cancelled: Callable[[], bool]) -> None:
        self._cancelled = cancelled
        self._error: BaseException | None = None

    def __call__(self) -> bool:
        return self._error is not None or self._cancelled()

    def guarded(self, work: Callable[..., None], *arguments: object) -> None:
        """Does some work unless other work has failed; keeps the first failure."""
        if self():
            return
        try:
            work(*arguments)
        except BaseException as error:
            self._error = self._error or error

    def check(self) -> None:
        """Raises what failed first, or Cancelled."""
        if self._error:
            raise self._error
        if self._cancelled():
            raise Cancelled("the push was cancelled")
