"""What there is to say of an image: its descriptor, its manifests, what it shares with others."""

from collections import Counter
from collections.abc import Iterable

from wherry.engine.containers.index import ContainerIndex
from wherry.images.attestations import SUBJECT, Attestations
from wherry.images.catalog import ImageCatalog
from wherry.images.packing import Packer
from wherry.images.records import Variant
from wherry.model.digest import Digest
from wherry.model.docker.image import (
    ATTESTATION,
    IMAGE,
    UNKNOWN,
    UNSET,
    AttestationData,
    ImageData,
    ImageIdentity,
    ManifestSize,
    ManifestSummary,
    PullIdentity,
    UnpackedSize,
    Unset,
)
from wherry.model.image import Image
from wherry.model.manifest import Descriptor, Platform
from wherry.model.reference import Reference
from wherry.store.content.layers import LayerArchives
from wherry.store.snapshot.driver import Snapshots


class DescribeImages:
    """Reads what lists and inspects show beyond the records."""

    def __init__(
        self, catalog: ImageCatalog, packer: Packer, archives: LayerArchives,
        snapshots: Snapshots, index: ContainerIndex, attestations: Attestations,
    ) -> None:  # fmt: skip
        self._attestations = attestations
        self._catalog = catalog
        self._packer = packer
        self._archives = archives
        self._snapshots = snapshots
        self._index = index

    def descriptor(self, image: Image) -> Descriptor | None:
        """What an image's name means outside: its index or its manifest, None if it never was."""
        if image.index:
            return self._catalog.describe_index(image.index)
        if not image.manifest:
            return None
        digest = str(Digest.of(image.manifest))
        return Descriptor(image.manifest_type, digest, len(image.manifest), platform=image.platform)

    def manifests(
        self, image: Image, name: str = "", *, identity: bool = False
    ) -> list[ManifestSummary]:
        """Every manifest that an image's name, or its id, stands for; blocking."""
        if image.index:
            variants = self._catalog.variants(name or image.id)
        else:
            packed = self._packer.named(image) or self._packer.pack(image)
            variants = [Variant(packed.descriptor, image)]
        known = self.identity(image) if identity else None
        return [self._summary(variant, known or UNSET) for variant in variants]

    def identity(self, image: Image) -> ImageIdentity | None:
        """The repositories that know an image, None if none does."""
        names = dict.fromkeys(
            Reference.parse_bare(text.partition("@")[0]).name for text in image.repo_digests
        )
        return ImageIdentity([PullIdentity(name) for name in names]) if names else None

    def shared_sizes(self, images: Iterable[Image]) -> dict[str, int]:
        """Bytes of each image's layers that another image has, too; blocking."""
        users = Counter(name for image in self._catalog.images() for name in image.chain)
        sizes = {name: self._snapshots.layer_size(name) for name, count in users.items()
                 if count > 1}  # fmt: skip
        return {image.id: sum(sizes.get(name, 0) for name in image.chain) for image in images}

    def layer_sizes(self, image: Image) -> list[int]:
        """Bytes that each layer brought, lowest first; blocking."""
        return [self._snapshots.layer_size(name) for name in image.chain]

    def users(self, image: Image) -> list[str]:
        """Ids of the containers made of an image."""
        return [item.id for item in self._index.all() if item.record.image_id == image.id]

    def _summary(self, variant: Variant, identity: ImageIdentity | Unset) -> ManifestSummary:
        described, image = variant
        if described.is_attestation:
            subject = (described.annotations or {}).get(SUBJECT, "")
            found = self._attestations.find(described)
            kept = len(found.data) + sum(map(len, found.blobs.values())) if found else 0
            return ManifestSummary(
                id=described.digest, descriptor=described, available=found is not None,
                size=ManifestSize(kept, kept), kind=ATTESTATION,
                attestation_data=AttestationData(subject),
            )  # fmt: skip
        content = self._content_size(image) if image else 0
        unpacked = image.size if image else 0
        platform = described.platform or (image.platform if image else Platform())
        return ManifestSummary(
            id=described.digest, descriptor=described, available=image is not None,
            size=ManifestSize(content, content + unpacked),
            kind=IMAGE if image or described.platform else UNKNOWN,
            image_data=ImageData(
                platform, UnpackedSize(unpacked), self.users(image) if image else [], identity
            ),
        )  # fmt: skip

    def _content_size(self, image: Image) -> int:
        kept = [name for name in image.config.rootfs.diff_ids if self._archives.has(name)]
        archives = sum(self._archives.describe(name).size for name in kept)
        return len(image.manifest) + len(image.raw) + archives
