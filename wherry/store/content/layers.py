"""Layers' archives as they came, by diff id: what save and push give out again.

An archive keeps its compression, since another would change its digest. A file appears by rename,
whole or not at all.
"""

import contextlib
import hashlib
import os
import shutil
from pathlib import Path
from typing import BinaryIO

import msgspec

from wherry.base.errors import NotFound
from wherry.base.files import write_atomic


class LayerDescriptor(msgspec.Struct, frozen=True, omit_defaults=True):
    """The archive as a blob: digest and size in bytes, and the file that it is in."""

    digest: str
    size: int
    file: str = "archive"


class LayerArchives:
    """One directory for each layer: the archive and `descriptor.json`, which names its file."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._known: dict[str, LayerDescriptor] = {}
        root.mkdir(parents=True, exist_ok=True)
        root.chmod(0o700)
        for leftover in root.glob(".*.tmp"):
            shutil.rmtree(leftover, ignore_errors=True)

    def has(self, diff_id: str) -> bool:
        """Whether the layer's archive is kept."""
        return self._directory(diff_id).is_dir()

    def diff_ids(self) -> list[str]:
        """The layers whose archives are kept."""
        return [f"sha256:{entry.name}" for entry in self._root.iterdir()
                if not entry.name.startswith(".")]  # fmt: skip

    def put(self, diff_id: str, descriptor: int) -> None:
        """Keeps a copy of an open archive from its start; one that is kept already stays."""
        if self.has(diff_id):
            return
        temporary = self._root / f".{self._directory(diff_id).name}.tmp"
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir()
        try:
            digest, size = _copy(descriptor, temporary / "archive")
            described = msgspec.json.encode(LayerDescriptor(f"sha256:{digest}", size))
            write_atomic(temporary / "descriptor.json", described)
            temporary.rename(self._directory(diff_id))
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise

    def replace(self, diff_id: str, descriptor: int) -> None:
        """Keeps another archive of the same layer from now on; who reads the old one reads on."""
        directory, known = self._directory(diff_id), self.describe(diff_id)
        name = "archive.gz" if known.file == "archive" else "archive"
        digest, size = _copy(descriptor, directory / name)
        described = msgspec.json.encode(LayerDescriptor(f"sha256:{digest}", size, name))
        write_atomic(directory / "descriptor.json", described)
        self._known.pop(diff_id, None)
        (directory / known.file).unlink(missing_ok=True)

    def open(self, diff_id: str) -> BinaryIO:
        """The archive, to be read; raises NotFound."""
        for _ in range(3):  # it may be replaced between two looks
            try:
                return (self._directory(diff_id) / self.describe(diff_id).file).open("rb")
            except FileNotFoundError:
                self._known.pop(diff_id, None)
        raise NotFound(f"the archive of layer {diff_id} is not kept")

    def describe(self, diff_id: str) -> LayerDescriptor:
        """Digest and size of the archive; raises NotFound."""
        known = self._known.get(diff_id)
        if known is None:
            try:
                data = (self._directory(diff_id) / "descriptor.json").read_bytes()
            except FileNotFoundError:
                raise NotFound(f"the archive of layer {diff_id} is not kept") from None
            known = self._known[diff_id] = msgspec.json.decode(data, type=LayerDescriptor)
        return known

    def remove(self, diff_id: str) -> None:
        """Keeps the archive no longer; one that is not there is fine. A kill leaves no half."""
        doomed = self._root / f".{self._directory(diff_id).name}.tmp"
        shutil.rmtree(doomed, ignore_errors=True)
        with contextlib.suppress(FileNotFoundError):
            self._directory(diff_id).rename(doomed)
            self._known.pop(diff_id, None)
        shutil.rmtree(doomed, ignore_errors=True)

    def _directory(self, diff_id: str) -> Path:
        return self._root / diff_id.rpartition(":")[2]


def _copy(source: int, path: Path) -> tuple[str, int]:
    hashed = hashlib.sha256()
    offset = 0
    with path.open("wb") as target:
        while data := os.pread(source, 1 << 20, offset):
            hashed.update(data)
            target.write(data)
            offset += len(data)
    return hashed.hexdigest(), offset
