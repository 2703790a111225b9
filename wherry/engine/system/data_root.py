"""Everything below the data root by what it is, down to what nobody knows of any more."""

import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

from wherry.engine.pools import Pools
from wherry.engine.system.kept_sizes import KeptSizes, Wanted
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

    path: str
    field: str
    known: bool

    def wanted(self) -> Wanted:
        """Its size, to be asked for."""
        lasting = self.field in _LASTING and "/." not in self.path
        return Wanted(self.path, partial(directory_size, Path(self.path)), lasting)


class DataRoot:
    """Accounts for the bytes of a data root; large parts answer with the sizes of before."""

    def __init__(
        self, path: Path, driver: str, sizes: KeptSizes, pools: Pools, known: Callable[[], Known]
    ) -> None:
        """`driver` names the directory of the snapshots; `known` asks the records."""
        self._path = str(path)
        self._snapshots = f"{path}/{driver}"
        self._driver = driver
        self._sizes = sizes
        self._pools = pools
        self._known = known

    async def usage(self) -> DataRootUsage:
        """The account as of now."""
        totals = dict.fromkeys(DataRootUsage.__struct_fields__[2:-1], 0)
        orphans: list[Orphan] = []
        parts, loose, logs = await self._pools.run("disk", self._survey, self._known())
        sizes = await self._sizes.of_all([part.wanted() for part in parts])
        for part, size in zip(parts, sizes, strict=True):
            totals[part.field] += size
            if not part.known:
                orphans.append(Orphan(part.path, size))
        for field, size in loose:
            totals[field] += size
        logs = min(logs, totals["container_files"])  # they grow while this is added up
        totals["logs"] += logs
        totals["container_files"] -= logs
        return DataRootUsage(path=self._path, size=sum(totals.values()), orphans=orphans, **totals)

    def _survey(self, known: Known) -> tuple[list[_Part], list[tuple[str, int]], int]:
        """The directories to be measured, loose files by field, and the bytes of logs."""
        logs = sum(size for name in _directories(f"{self._path}/containers")
                   for size in _log_sizes(f"{self._path}/containers/{name}"))  # fmt: skip
        return list(self._parts(known)), list(self._loose_files()), logs

    def _parts(self, known: Known) -> Iterator[_Part]:
        for field, directory, prefix, names in (
            ("layers", f"{self._snapshots}/layers", "sha256:", known.layers),
            ("writable", f"{self._snapshots}/active", "", known.containers),
            ("container_files", f"{self._path}/containers", "", known.containers),
            ("volumes", f"{self._path}/volumes", "", known.volumes),
            ("archives", f"{self._path}/archives", "sha256:", known.archives),
        ):
            for name in _directories(directory):
                # Snapshots are named by their container, and a dot begins what is being made.
                owner = name[:64] if field == "writable" else prefix + name
                yield _Part(f"{directory}/{name}", field, name[0] == "." or owner in names)
        yield _Part(f"{self._path}/partial", "partial", True)
        yield _Part(f"{self._path}/tmp", "scratch", True)
        yield _Part(f"{self._snapshots}/base", "other", True)
        accounted = {self._driver, "containers", "volumes", "archives", "partial", "tmp"}
        for name in _directories(self._path):
            if name not in accounted:
                yield _Part(f"{self._path}/{name}", "other", True)

    def _loose_files(self) -> Iterator[tuple[str, int]]:
        """Files that lie in the data root itself, and beside the directories of volumes."""
        for directory in (self._path, f"{self._path}/volumes"):
            for entry in os.scandir(directory):
                if entry.is_file(follow_symlinks=False):
                    size = entry.stat(follow_symlinks=False).st_size
                    yield ("records" if "records" in entry.name else "other"), size


def _directories(path: str) -> list[str]:
    """Names of the directories in one."""
    try:
        return [entry.name for entry in os.scandir(path) if entry.is_dir()]
    except FileNotFoundError:
        return []


def _log_sizes(directory: str) -> Iterator[int]:
    try:
        for entry in os.scandir(directory):
            if ".log" in entry.name:
                yield entry.stat(follow_symlinks=False).st_size
    except FileNotFoundError:
        return  # the container was removed meanwhile
