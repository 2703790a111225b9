"""Small blobs by digest, a file each: what is no layer, such as statements about images."""

from pathlib import Path

from wherry.base.errors import DataCorrupt
from wherry.base.files import write_atomic
from wherry.model.digest import Digest


class SmallBlobs:
    """One directory; a blob is whole or absent."""

    def __init__(self, root: Path) -> None:
        self._root = root
        root.mkdir(mode=0o700, parents=True, exist_ok=True)

    def read(self, digest: str) -> bytes | None:
        """A blob's bytes, None if it is not here."""
        try:
            return self._path(digest).read_bytes()
        except FileNotFoundError:
            return None

    def write(self, digest: str, data: bytes) -> None:
        """Keeps a blob; raises DataCorrupt if the digest is another's."""
        if Digest.of(data) != digest:
            raise DataCorrupt(f"blob {digest} has the wrong content")
        if not self._path(digest).exists():
            write_atomic(self._path(digest), data)

    def remove(self, digest: str) -> int:
        """Keeps a blob no longer; returns its bytes."""
        path = self._path(digest)
        size = path.stat().st_size
        path.unlink()
        return size

    def digests(self) -> list[str]:
        """All blobs that are here; what a kill left half written goes with the next look."""
        for leftover in self._root.glob(".*"):
            leftover.unlink(missing_ok=True)
        return [path.name.replace("-", ":", 1) for path in self._root.iterdir()]

    def _path(self, digest: str) -> Path:
        return self._root / Digest.parse(digest).replace(":", "-")
