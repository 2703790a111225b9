"""Images from archives that `docker save` and OCI tools write (`docker load`)."""

import json
import os
import tarfile
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from wherry.base.clock import now_ns
from wherry.base.errors import DataCorrupt, InvalidParameter, NotFound
from wherry.images.archive import ImageArchive, blob_path
from wherry.images.attestations import Attestations
from wherry.images.catalog import ImageCatalog
from wherry.images.downloads import Progress, short
from wherry.images.layers import ImageLayers
from wherry.images.records import Origin
from wherry.images.unpack import LayerUnpacker
from wherry.model.digest import Digest
from wherry.model.docker.progress import moving
from wherry.model.image import Image
from wherry.model.image_config import ImageConfig, host_architecture
from wherry.model.manifest import (
    OCI_MANIFEST,
    Descriptor,
    Index,
    Manifest,
    Platform,
    parse_manifest,
)
from wherry.model.reference import Reference
from wherry.store.layer.compression import decompress

_ANNOTATIONS = ("io.containerd.image.name", "org.opencontainers.image.ref.name")
_PLAIN = ".tar"
_UNREADABLE = (tarfile.TarError, EOFError, ValueError, KeyError, TypeError, RecursionError,
               msgspec.MsgspecError)  # fmt: skip
_NESTING = 3


class _Member(NamedTuple):
    """One image of an archive: its configuration, the names of its layers, where it came from."""

    raw: bytes
    layers: tuple[str, ...]
    origin: Origin | None
    platform: Platform


class LoadImages:
    """Reads every image of an archive."""

    def __init__(
        self, catalog: ImageCatalog, unpacker: LayerUnpacker, layers: ImageLayers, scratch: str,
        attestations: Attestations,
    ) -> None:  # fmt: skip
        """`scratch` is a directory for archives on their way."""
        self.attestations = attestations
        self._catalog = catalog
        self._unpacker = unpacker
        self._layers = layers
        self._scratch = scratch

    def __call__(
        self, path: str, platforms: Sequence[str], report: Progress, *, quiet: bool
    ) -> list[Image]:
        """Loads the archive at `path`, compressed or not; reports Docker's lines.

        Only images for one of `platforms`, if any are named. Raises InvalidParameter for what is
        no image archive, DataCorrupt for wrong content, NotFound for a platform that is not in it.
        """
        plain = self._plain(path)
        try:
            with ImageArchive(plain) as archive:
                return _Loading(self, archive, platforms, report, quiet=quiet).run()
        except _UNREADABLE as error:
            raise InvalidParameter(f"the archive is no image archive: {error}") from error
        finally:
            if plain != path:
                os.unlink(plain)

    def _plain(self, path: str) -> str:
        with open(path, "rb") as file:
            stream = decompress(file)
            if stream is file:
                return path
            plain = f"{path}.plain"
            try:
                with open(plain, "wb") as target:
                    while data := stream.read(1 << 20):
                        target.write(data)
            except Exception as error:
                os.unlink(plain)
                raise DataCorrupt(f"the archive cannot be decompressed: {error}") from error
            return plain

    def take(
        self, archive: ImageArchive, member: _Member, references: Sequence[Reference],
        report: Progress | None,
    ) -> Image:  # fmt: skip
        """Unpacks one image's layers and records it."""
        diff_ids = _diff_ids(member)
        with self._layers.hold(diff_ids):
            for number, (name, diff_id) in enumerate(zip(member.layers, diff_ids, strict=True)):
                self._layer(archive, name, diff_ids[:number], diff_id, report)
            return self._catalog.add(
                member.raw, self._unpacker.size(diff_ids), now_ns(), references=references,
                origin=member.origin,
            )  # fmt: skip

    def _layer(
        self, archive: ImageArchive, name: str, below: tuple[str, ...], diff_id: str,
        report: Progress | None,
    ) -> None:  # fmt: skip
        item = archive.member(name)

        def progress(done: int) -> None:
            if report:
                report(moving("Loading layer", short(diff_id), done, item.size))

        with open(f"{self._scratch}/layer-{os.getpid()}-{id(archive)}", "w+b") as scratch:
            os.unlink(scratch.name)
            archive.copy(item, scratch.fileno())
            os.lseek(scratch.fileno(), 0, os.SEEK_SET)
            self._unpacker.unpack(scratch.fileno(), below, diff_id, progress)
        progress(item.size)


class _Loading:
    """One archive on its way in."""

    def __init__(
        self, load: LoadImages, archive: ImageArchive, platforms: Sequence[str],
        report: Progress, *, quiet: bool,
    ) -> None:  # fmt: skip
        self._load = load
        self._archive = archive
        self._platforms = [Platform.parse(text) for text in platforms]
        self._report = report
        self._progress = None if quiet else report
        self._seen: set[str] = set()

    def run(self) -> list[Image]:
        """All of its images, as Docker's manifest.json or an OCI layout lists them."""
        archive = self._archive
        docker = archive.json("manifest.json") if archive.has("manifest.json") else None
        index = archive.json("index.json") if archive.has("index.json") else None
        if index is not None and (docker is None or _is_named(index)):
            return [image for entry in index.get("manifests", ()) for image in self._entry(entry)]
        if docker is not None:
            return [self._docker(item) for item in docker]
        raise InvalidParameter(
            "the archive has neither manifest.json nor index.json: it is no image archive "
            "(a root file system is taken by import)"
        )

    def _docker(self, item: dict[str, Any]) -> Image:
        raw = self._archive.read(item["Config"])
        references = [Reference.parse(name) for name in item.get("RepoTags") or []]
        member = _Member(raw, tuple(item["Layers"]), None, _platform(raw))
        self._require([member], str(references[0]) if references else item["Config"])
        image = self._load.take(self._archive, member, references, self._progress)
        self._announce(image, references)
        return image

    def _entry(self, entry: dict[str, Any]) -> list[Image]:
        """The images of one entry of a layout: several if it is an index."""
        annotations = entry.get("annotations") or {}
        name = next((annotations[key] for key in _ANNOTATIONS if annotations.get(key)), "")
        references = [Reference.parse(name)] if name else []
        self._seen.clear()
        members = self._members(entry["digest"], _NESTING)
        if not members:
            return []
        members = self._require(members, name or entry["digest"])
        own = Platform(host_architecture(), "linux")
        main = next((item for item in members if item.platform.satisfies(own)), members[0])
        images = [self._load.take(self._archive, item, (), self._progress)
                  for item in members if item is not main]  # fmt: skip
        image = self._load.take(self._archive, main, references, self._progress)
        self._attestations(entry["digest"])
        self._announce(image, references)
        return [image, *images]

    def _attestations(self, digest: str) -> None:
        document = parse_manifest(self._archive.blob(digest), digest)

        def read(entry: Descriptor, is_manifest: bool) -> bytes | None:
            try:
                return self._archive.blob(entry.digest)
            except (DataCorrupt, InvalidParameter):
                return None  # absent, too large or false: the image is none the worse

        if isinstance(document, Index):
            self._load.attestations.take(document.manifests, read)

    def _require(self, members: list[_Member], name: str) -> list[_Member]:
        """Those for the platforms that were asked for."""
        if not self._platforms:
            return members
        chosen = [
            item
            for item in members
            if any(item.platform.satisfies(wanted) for wanted in self._platforms)
        ]
        if not chosen:
            wanted = " ".join(str(item) for item in self._platforms)
            raise NotFound(
                f"image {name} was loaded, but doesn't provide the requested platform ([{wanted}])"
            )
        return chosen

    def _members(self, digest: str, depth: int, index: bytes = b"") -> list[_Member]:
        """The images below a digest that are whole in the archive."""
        data = self._archive.blob(digest)
        document = parse_manifest(data, digest)
        if isinstance(document, Manifest):
            raw = self._archive.blob(document.config.digest)
            kind = document.media_type or OCI_MANIFEST
            # Plain layers are how archives of Docker hold what was made here: no origin to keep.
            plain = document.layers and all(
                item.media_type.endswith(_PLAIN) for item in document.layers
            )
            made_here = plain and not index and self._archive.has("manifest.json")
            return [_Member(
                raw, tuple(blob_path(layer.digest) for layer in document.layers),
                None if made_here else Origin(data, kind, index), _platform(raw),
            )]  # fmt: skip
        if not depth:
            raise DataCorrupt(f"the index {digest} holds indexes in indexes")
        members: list[_Member] = []
        for entry in _images(document):
            if entry not in self._seen and self._archive.has(blob_path(entry)):
                self._seen.add(entry)  # indexes that name each other, or one many times, end here
                members += self._members(entry, depth - 1, index or data)
        return members

    def _announce(self, image: Image, references: Sequence[Reference]) -> None:
        if not references:
            self._report({"stream": f"Loaded image ID: {image.id}\n"})
        for reference in references:
            self._report({"stream": f"Loaded image: {reference.familiar()}\n"})


def _images(index: Index) -> list[str]:
    return [entry.digest for entry in index.manifests if not entry.is_attestation]


def _is_named(index: dict[str, Any]) -> bool:
    return any((entry.get("annotations") or {}).get(key)
               for entry in index.get("manifests", ()) for key in _ANNOTATIONS)  # fmt: skip


def _platform(raw: bytes) -> Platform:
    config = msgspec.json.decode(raw, type=ImageConfig)
    if config.os not in ("", "linux"):
        raise InvalidParameter(f"cannot load {config.os} image on linux")
    return Platform(config.architecture, config.os or "linux", config.variant)


def _diff_ids(member: _Member) -> tuple[str, ...]:
    diff_ids: list[str] = json.loads(member.raw)["rootfs"]["diff_ids"]
    if len(diff_ids) != len(member.layers):
        raise InvalidParameter(
            f"invalid manifest, layers length mismatch: expected {len(member.layers)}, "
            f"got {len(diff_ids)}"
        )
    return tuple(Digest.parse(item) for item in diff_ids)
