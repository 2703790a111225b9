"""Images from archives that `docker save` and OCI tools write (`docker load`)."""

import json
import os
import tarfile
from collections.abc import Callable
from typing import Any

from wherry.base.clock import now_ns
from wherry.base.errors import DataCorrupt, InvalidParameter
from wherry.images.catalog import ImageCatalog, Origin
from wherry.images.unpack import LayerUnpacker
from wherry.model.digest import Digest
from wherry.model.image import Image
from wherry.model.image_config import host_architecture
from wherry.model.manifest import OCI_MANIFEST
from wherry.model.reference import Reference
from wherry.store.layer.apply import decompress

_DOCUMENT_LIMIT = 8 << 20
_ANNOTATIONS = ("io.containerd.image.name", "org.opencontainers.image.ref.name")
Report = Callable[[str], None]


class LoadImages:
    """Reads every image of an archive."""

    def __init__(self, catalog: ImageCatalog, unpacker: LayerUnpacker, scratch: str) -> None:
        """`scratch` is a directory for archives on their way."""
        self._catalog = catalog
        self._unpacker = unpacker
        self._scratch = scratch

    def __call__(self, path: str, report: Report) -> list[Image]:
        """Loads the archive at `path`, compressed or not; reports Docker's lines.

        Raises InvalidParameter for what is no image archive, DataCorrupt for wrong content.
        """
        plain = self._plain(path)
        try:
            with _Archive(plain) as archive:
                if archive.has("manifest.json"):
                    return [self._docker(archive, item, report)
                            for item in archive.json("manifest.json")]  # fmt: skip
                if archive.has("index.json"):
                    return self._oci(archive, report)
        except (tarfile.TarError, EOFError, ValueError, KeyError, TypeError) as error:
            raise InvalidParameter(f"the archive is no image archive: {error}") from error
        finally:
            if plain != path:
                os.unlink(plain)
        raise InvalidParameter(
            "the archive has neither manifest.json nor index.json: it is no image archive "
            "(a root file system is taken by import)"
        )

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

    def _docker(self, archive: "_Archive", item: dict[str, Any], report: Report) -> Image:
        raw = archive.read(item["Config"])
        references = [Reference.parse(name) for name in item.get("RepoTags") or []]
        size = self._layers(archive, raw, item["Layers"])
        image = self._catalog.add(raw, size, now_ns(), references=references)
        _announce(image, references, report)
        return image

    def _oci(self, archive: "_Archive", report: Report) -> list[Image]:
        loaded: list[Image] = []
        for entry in archive.json("index.json").get("manifests", ()):
            annotations = entry.get("annotations") or {}
            names = [annotations[key] for key in _ANNOTATIONS if annotations.get(key)]
            found = self._manifest(archive, entry)
            if found is None:
                continue
            manifest, data, index = found
            raw = archive.blob(manifest["config"]["digest"])
            layers = [_blob_path(layer["digest"]) for layer in manifest["layers"]]
            size = self._layers(archive, raw, layers)
            references = [Reference.parse(names[0])] if names else []
            origin = Origin(data, manifest.get("mediaType", OCI_MANIFEST), index)
            image = self._catalog.add(raw, size, now_ns(), references=references, origin=origin)
            _announce(image, references, report)
            loaded.append(image)
        return loaded

    def _manifest(
        self, archive: "_Archive", entry: dict[str, Any], index: bytes = b""
    ) -> tuple[dict[str, Any], bytes, bytes] | None:
        """The manifest for this machine, its bytes and those of the index that it is in."""
        data = archive.blob(entry["digest"])
        document: dict[str, Any] = json.loads(data)
        if "manifests" not in document:
            return document, data, index
        for candidate in document["manifests"]:
            platform = candidate.get("platform") or {}
            if platform.get("architecture") == host_architecture() and archive.has(
                _blob_path(candidate["digest"])
            ):
                return self._manifest(archive, candidate, index or data)
        return None

    def _layers(self, archive: "_Archive", raw: bytes, paths: list[str]) -> int:
        diff_ids: list[str] = json.loads(raw)["rootfs"]["diff_ids"]
        if len(diff_ids) != len(paths):
            raise InvalidParameter(
                f"invalid manifest, layers length mismatch: expected {len(paths)}, "
                f"got {len(diff_ids)}"
            )
        for index, (path, diff_id) in enumerate(zip(paths, diff_ids, strict=True)):
            member = archive.member(path)
            with open(f"{self._scratch}/layer-{os.getpid()}-{id(archive)}", "w+b") as scratch:
                os.unlink(scratch.name)
                archive.copy(member, scratch.fileno())
                os.lseek(scratch.fileno(), 0, os.SEEK_SET)
                self._unpacker.unpack(scratch.fileno(), tuple(diff_ids[:index]), diff_id)
        return self._unpacker.size(diff_ids)


def _announce(image: Image, references: list[Reference], report: Report) -> None:
    if not references:
        report(f"Loaded image ID: {image.id}\n")
    for reference in references:
        report(f"Loaded image: {reference.familiar()}\n")


def _blob_path(digest: str) -> str:
    parsed = Digest.parse(digest)
    return f"blobs/{parsed.algorithm}/{parsed.hex}"


class _Archive:
    """An uncompressed tar on disk, its members found by name and read by offset."""

    def __init__(self, path: str) -> None:
        self._file = open(path, "rb")  # noqa: SIM115 - closed by __exit__
        try:
            self._tar = tarfile.open(fileobj=self._file, mode="r:")  # noqa: SIM115
            self._members = {item.name.removeprefix("./"): item for item in self._tar}
        except tarfile.TarError:
            self._file.close()
            raise

    def __enter__(self) -> "_Archive":
        return self

    def __exit__(self, *exception: object) -> None:
        self._tar.close()
        self._file.close()

    def has(self, name: str) -> bool:
        """Whether there is a member of this name."""
        return name in self._members

    def member(self, name: str) -> tarfile.TarInfo:
        """The file of a name, links followed within the archive."""
        item = self._members.get(name)
        for _ in range(8):
            if item is None or not (item.issym() or item.islnk()):
                break
            target = item.linkname
            if item.issym():
                target = os.path.normpath(os.path.join(os.path.dirname(item.name), target))
            item = self._members.get(target)
        if item is None or not item.isreg():
            raise DataCorrupt(f"the archive lacks {name}")
        return item

    def read(self, name: str) -> bytes:
        """A small document."""
        item = self.member(name)
        if item.size > _DOCUMENT_LIMIT:
            raise InvalidParameter(f"{name} in the archive is larger than {_DOCUMENT_LIMIT} bytes")
        return os.pread(self._file.fileno(), item.size, item.offset_data)

    def json(self, name: str) -> Any:
        """A JSON document."""
        return json.loads(self.read(name))

    def blob(self, digest: str) -> bytes:
        """A document by digest, verified."""
        data = self.read(_blob_path(digest))
        if Digest.of(data) != digest:
            raise DataCorrupt(f"blob {digest} in the archive has the wrong content")
        return data

    def copy(self, item: tarfile.TarInfo, target: int) -> None:
        """Copies a member's content to a descriptor."""
        offset, left = item.offset_data, item.size
        while left:
            sent = os.sendfile(target, self._file.fileno(), offset, left)
            if not sent:
                raise DataCorrupt(f"the archive ends in the middle of {item.name}")
            offset, left = offset + sent, left - sent
