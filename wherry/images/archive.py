"""An archive of images on disk: its members by name, its blobs by digest."""

import json
import os
import tarfile
from typing import Any

from wherry.base.errors import DataCorrupt, InvalidParameter
from wherry.model.digest import Digest

_DOCUMENT_LIMIT = 8 << 20
_MAXIMUM_MEMBERS = 100_000


def blob_path(digest: str) -> str:
    """Where an OCI layout keeps a blob; raises InvalidParameter."""
    parsed = Digest.parse(digest)
    return f"blobs/{parsed.algorithm}/{parsed.hex}"


class ImageArchive:
    """An uncompressed tar on disk, its members found by name and read by offset."""

    def __init__(self, path: str) -> None:
        self._file = open(path, "rb")  # noqa: SIM115 - closed by __exit__
        try:
            self._tar = tarfile.open(fileobj=self._file, mode="r:")  # noqa: SIM115
            self._members: dict[str, tarfile.TarInfo] = {}
            for number, item in enumerate(self._tar):
                if number >= _MAXIMUM_MEMBERS:
                    raise InvalidParameter(f"the archive has more than {_MAXIMUM_MEMBERS} members")
                self._members[item.name.removeprefix("./")] = item
        except (tarfile.TarError, InvalidParameter):
            self._file.close()
            raise

    def __enter__(self) -> "ImageArchive":
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
        data = self.read(blob_path(digest))
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
