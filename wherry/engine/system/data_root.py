"""Everything below the data root by what it is, down to what nobody knows of any more."""

import asyncio
import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

from wherry.engine.system.kept_sizes import KeptSizes
from wherry.model.docker.disk_usage import DataRootUsage, Orphan
from wherry.store.snapshot.size import directory_size

_LASTING = ("layers", "archives")
"""What never changes once it is there."""


class Known(NamedTuple):
    """What the records name: ids of containers, names of volumes, chain ids, and diff ids."""

    containers: frozenset[str]
    volumes: frozenset[str]
    layers: frozenset[str]
    archives: frozenset[str]


class _Part(NamedTuple):
    """A directory, the field that its bytes count for, and whether the records know it."""

    path: Path
    field: str
    known: bool


class DataRoot:
    """Accounts for the bytes of a data root; large parts answer with the sizes of before."""

    def __init__(
        self, path: Path, driver: str, sizes: KeptSizes, known: Callable[[], Known]
    ) -> None:
        """`driver` names the directory of the snapshots; `known` asks the records."""
        self._path = path
        self._driver = driver
        self._sizes = sizes
        self._known = known

    async def usage(self) -> DataRootUsage:
        """The account as of now."""
        totals = dict.fromkeys(DataRootUsage.__struct_fields__[2:-1], 0)
        orphans: list[Orphan] = []
        parts = list(self._parts(self._known()))
        sizes = await asyncio.gather(*map(self._size, parts))
        for part, size in zip(parts, sizes, strict=True):
            totals[part.field] += size
            if not part.known:
                orphans.append(Orphan(str(part.path), size))
        for field, size in self._loose_files():
            totals[field] += size
        self._split_logs(totals)
        return DataRootUsage(
            path=str(self._path), size=sum(totals.values()), orphans=orphans, **totals
        )

    async def _size(self, part: _Part) -> int:
        measure = partial(directory_size, part.path)
        lasting = part.field in _LASTING and not part.path.name.startswith(".")
        return await self._sizes.of(str(part.path), measure, lasting=lasting)

    def _parts(self, known: Known) -> Iterator[_Part]:
        snapshots = self._path / self._driver
        for entry in _directories(snapshots / "layers"):
            name = f"sha256:{entry.name}"
            yield _Part(entry, "layers", name in known.layers or entry.name.startswith("."))
        for entry in _directories(snapshots / "active"):
            owner = entry.name[:64]
            yield _Part(entry, "writable", owner in known.containers)
        for entry in _directories(self._path / "containers"):
            yield _Part(entry, "container_files", entry.name in known.containers)
        for entry in _directories(self._path / "volumes"):
            yield _Part(entry, "volumes", entry.name in known.volumes or entry.name[:1] == ".")
        for entry in _directories(self._path / "archives"):
            name = f"sha256:{entry.name}"
            yield _Part(entry, "archives", name in known.archives or entry.name.startswith("."))
        for name, field in (("partial", "partial"), ("tmp", "scratch")):
            yield _Part(self._path / name, field, True)
        yield _Part(snapshots / "base", "other", True)
        accounted = {self._driver, "containers", "volumes", "archives", "partial", "tmp"}
        for entry in _directories(self._path):
            if entry.name not in accounted:
                yield _Part(entry, "other", True)

    def _loose_files(self) -> Iterator[tuple[str, int]]:
        """Files that lie in the data root itself, and beside the directories of volumes."""
        for directory in (self._path, self._path / "volumes"):
            for entry in os.scandir(directory):
                if entry.is_file(follow_symlinks=False):
                    size = entry.stat(follow_symlinks=False).st_size
                    yield ("records" if "records" in entry.name else "other"), size

    def _split_logs(self, totals: dict[str, int]) -> None:
        logs = sum(size for path in _directories(self._path / "containers")
                   for size in _log_sizes(path))  # fmt: skip
        logs = min(logs, totals["container_files"])  # they grow while this is added up
        totals["logs"] += logs
        totals["container_files"] -= logs


def _directories(path: Path) -> list[Path]:
    try:
        return [Path(entry.path) for entry in os.scandir(path) if entry.is_dir()]
    except FileNotFoundError:
        return []


def _log_sizes(directory: Path) -> Iterator[int]:
    try:
        for entry in os.scandir(directory):
            if ".log" in entry.name:
                yield entry.stat(follow_symlinks=False).st_size
    except FileNotFoundError:
        return  # the container was removed meanwhile
