"""The volumes of this engine: records, references from containers, mounts in use."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from functools import partial
from pathlib import Path

import msgspec

from wherry.base import crash_points
from wherry.base.clock import rfc3339_nano, timestamp
from wherry.base.errors import Conflict, InvalidParameter, NotFound
from wherry.base.ids import new_id
from wherry.engine.pools import Pools
from wherry.engine.system.event_bus import EventBus
from wherry.engine.volumes.record import (
    ANONYMOUS_LABEL,
    NoSuchVolume,
    VolumeInUse,
    VolumeNotEmpty,
    VolumeRecord,
    check_name,
)
from wherry.model.docker.volume import UsageData, VolumeResource
from wherry.store.records.database import Database, Delete, Put
from wherry.store.volume.directory import VolumeDirectories, check_options

KIND = "volume"
"""The kind of volumes' records."""

POOL = "disk"
"""The pool in which directories are made, mounted and measured."""


class VolumeState:
    """Which volumes exist and who uses them.

    A container refers to a volume from its create to its remove (`reference`, `dereference`), and
    has it mounted from its start to its end (`mount`, `unmount`). Both are told again after a
    restart of the daemon, from the containers' records.
    """

    def __init__(
        self, directories: VolumeDirectories, database: Database, pools: Pools, events: EventBus
    ) -> None:
        """Collaborators are shared with the use cases of this package."""
        self._directories = directories
        self._database = database
        self._pools = pools
        self._events = events
        self._records: dict[str, VolumeRecord] = {}
        self._references: dict[str, set[str]] = {}
        self._mounted: dict[str, set[str]] = {}
        self._lock = asyncio.Lock()

    async def open(self) -> None:
        """Reads the records; a directory without one becomes a volume, as in dockerd."""
        for name, data in self._database.read_all(KIND).items():
            self._records[name] = msgspec.json.decode(data, type=VolumeRecord)
        await self._pools.run(POOL, self._directories.sweep)
        for record in self.records():
            if record.unfinished:
                await self._erase(record.name)
        names = await self._pools.run(POOL, self._directories.names)
        for name in self._records.keys() - set(names):
            await self._pools.run(POOL, self._directories.create, name)
        for name in names:
            if name not in self._records:
                created = await self._pools.run(POOL, self._directories.created_ns, name)
                self._records[name] = VolumeRecord(name, rfc3339_nano(created))

    def records(self) -> list[VolumeRecord]:
        """All volumes."""
        return list(self._records.values())

    def get(self, name: str) -> VolumeRecord:
        """The volume of a name; raises NoSuchVolume."""
        record = self._records.get(name)
        if record is None:
            raise NoSuchVolume(name)
        return record

    def exists(self, name: str) -> bool:
        """Whether there is a volume of that name."""
        return name in self._records

    def users(self, name: str) -> set[str]:
        """Ids of the containers that refer to a volume."""
        return set(self._references.get(name, ()))

    async def create(
        self,
        name: str,
        *,
        driver: str = "local",
        options: Mapping[str, str] | None = None,
        labels: Mapping[str, str] | None = None,
        unfinished: bool = False,
    ) -> VolumeRecord:
        """The volume of that name, made if there is none; without a name an anonymous one.

        A new one is kept over a restart of the daemon, if `unfinished`, only from `finish` on.
        Raises InvalidParameter for bad names and options and NotFound for an unknown driver.
        """
        if not name:
            name = new_id()
            labels = {**(labels or {}), ANONYMOUS_LABEL: ""}
        check_name(name)
        if driver not in ("", "local"):
            raise NotFound(
                f"create {name}: error looking up volume plugin {driver}: "
                f'plugin "{driver}" not found'
            )
        async with self._lock:
            present = self._records.get(name)
            if present is not None:
                return present
            try:
                check_options(options or {})
            except InvalidParameter as error:
                raise InvalidParameter(f"create {name}: {error.message}") from None
            record = VolumeRecord(
                name,
                timestamp(),
                dict(labels) if labels is not None else None,
                dict(options) if options is not None else None,
                unfinished,
            )
            await self._save(record)
            crash_points.reach("volume.recorded")
            try:
                await self._pools.run(POOL, self._directories.create, name)
            except BaseException:
                await self._erase(name)
                raise
            crash_points.reach("volume.made")
            self._records[name] = record
        self._events.publish("volume", "create", name, {"driver": "local"})
        return record

    @contextlib.asynccontextmanager
    async def incoming(self, name: str) -> AsyncIterator[Path]:
        """An empty directory for the data of a volume that does not exist or is empty.

        It is gone afterwards unless `take_in` made it the volume's. Raises VolumeNotEmpty, and
        Conflict for a volume that is in use or keeps its data elsewhere.
        """
        self._check_fillable(name)
        directory = await self._pools.run(POOL, self._directories.begin)
        try:
            yield directory
        finally:
            await self._pools.run(POOL, self._directories.abandon, directory)

    async def take_in(
        self, name: str, directory: Path, *, labels: Mapping[str, str] | None = None
    ) -> VolumeRecord:
        """Makes an incoming directory the data of a volume; raises as `incoming`."""
        async with self._lock:
            self._check_fillable(name)
            known = self._records.get(name)
            record = known or VolumeRecord(name, timestamp(), dict(labels) if labels else None)
            if not await self._pools.run(POOL, self._directories.take_in, directory, name):
                raise VolumeNotEmpty(name)
            put = Put(KIND, name, msgspec.json.encode(record))
            await asyncio.wrap_future(self._database.submit([put]))
            self._records[name] = record
        if known is None:
            self._events.publish("volume", "create", name, {"driver": "local"})
        return record

    def _check_fillable(self, name: str) -> None:
        record = self._records.get(name)
        if record is None:
            return
        if record.options:
            raise Conflict(
                f"volume {name} keeps its data elsewhere, as its options say: name a new volume"
            )
        if self._mounted.get(name):
            raise Conflict(f"volume {name} is in use by running containers: stop them first")

    async def remove(self, name: str, *, force: bool = False) -> None:
        """Removes a volume and its data; raises NoSuchVolume (not with `force`), VolumeInUse."""
        async with self._lock:
            if name not in self._records:
                if force:
                    return
                raise NoSuchVolume(name)
            users = self.users(name)
            if users:
                raise VolumeInUse(name, users)
            await self._pools.run(POOL, self._directories.unmount, name)  # refused: all stays
            await self._save(msgspec.structs.replace(self._records[name], unfinished=True))
            crash_points.reach("volume.doomed")
            await self._erase(name)
            self._references.pop(name, None)
            self._mounted.pop(name, None)
        self._events.publish("volume", "destroy", name, {"driver": "local"})

    def finish(self, names: Iterable[str]) -> list[Put]:
        """Unfinished volumes are to stay: what is to be written with their container."""
        return self._marked(names, unfinished=False)

    def doom(self, names: Iterable[str], container: str) -> list[Put]:
        """Volumes that nobody but a container has are to go with it: what is to be written then."""
        return self._marked(
            [name for name in names if name in self._records and self.users(name) <= {container}],
            unfinished=True,
        )

    async def keep(self, name: str) -> None:
        """A doomed volume stays, since somebody else has taken it meanwhile."""
        await asyncio.wrap_future(self._database.submit(self.finish([name])))

    async def abandon(self, container: str) -> None:
        """A container was not made: nor were the volumes that were made for it."""
        for record in self.records():
            self.dereference(record.name, container)
            if record.unfinished and not self.users(record.name):
                await self.remove(record.name, force=True)

    def _marked(self, names: Iterable[str], *, unfinished: bool) -> list[Put]:
        found: list[Put] = []
        for name in dict.fromkeys(names):
            record = self._records.get(name)
            if record is not None and record.unfinished != unfinished:
                record = msgspec.structs.replace(record, unfinished=unfinished)
                self._records[name] = record
                found.append(Put(KIND, name, msgspec.json.encode(record)))
        return found

    async def _save(self, record: VolumeRecord) -> None:
        put = Put(KIND, record.name, msgspec.json.encode(record))
        await asyncio.wrap_future(self._database.submit([put]))

    async def _erase(self, name: str) -> None:
        """Removes the directory and then the record: a kill between them leaves the record."""
        await self._pools.run(POOL, self._directories.remove, name)
        crash_points.reach("volume.deleted")
        await asyncio.wrap_future(self._database.submit([Delete(KIND, name)]))
        self._records.pop(name, None)

    def reference(self, name: str, container: str) -> None:
        """A container, by id, has the volume among its mounts."""
        self._references.setdefault(name, set()).add(container)

    def dereference(self, name: str, container: str) -> None:
        """A container that had the volume was removed; repeating it is harmless."""
        self._references.get(name, set()).discard(container)

    async def mount(
        self, name: str, container: str, shown: Mapping[str, str] | None = None
    ) -> Path:
        """Where a volume's data is, with what its options name mounted; raises NoSuchVolume.

        `shown` is what an event says of the place in the container; without it there is none.
        """
        record = self.get(name)
        if record.options:
            async with self._lock:
                await self._pools.run(POOL, self._directories.mount, name, record.options)
        else:  # somebody may have removed the directory by hand; dockerd makes it again
            await self._pools.run(POOL, self._directories.create, name)
        self._mounted.setdefault(name, set()).add(container)
        if shown is not None:
            attributes = {"container": container, "driver": "local", **shown}
            self._events.publish("volume", "mount", name, attributes)
        return self.mountpoint(name)

    async def unmount(self, name: str, container: str, *, shown: bool = False) -> None:
        """A container ended that had the volume mounted; the last one unmounts its options.

        With `shown` an event says so, if it was mounted.
        """
        holders = self._mounted.get(name, set())
        if shown and container in holders:
            attributes = {"container": container, "driver": "local"}
            self._events.publish("volume", "unmount", name, attributes)
        holders.discard(container)
        record = self._records.get(name)
        if record is not None and record.options and not holders:
            async with self._lock:
                if not self._mounted.get(name):
                    await self._pools.run(POOL, self._directories.unmount, name)

    def mountpoint(self, name: str) -> Path:
        """Where a volume's data is, mounted or not."""
        return self._directories.mountpoint(name)

    async def size(self, name: str) -> int:
        """Bytes that a volume's files take; -1 for one whose options mount something else."""
        measure = self.measure(name)
        if measure is None:
            return -1
        measured: int = await self._pools.run(POOL, measure)
        return measured

    def publish_prune(self, reclaimed: int) -> None:
        """Tells that unused volumes were removed, and how many bytes they took."""
        self._events.publish("volume", "prune", "", {"reclaimed": str(reclaimed)})

    def measure(self, name: str) -> Callable[[], int] | None:
        """What measures a volume when it is called, and blocks; None if that would tell nothing."""
        record = self._records.get(name)
        if record is None or record.options:
            return None
        return partial(self._directories.size, name)

    def describe(self, record: VolumeRecord, size: int | None = None) -> VolumeResource:
        """A volume as the API shows it, with its usage if `size` was measured."""
        usage: UsageData | msgspec.UnsetType = msgspec.UNSET
        if size is not None:
            usage = UsageData(size, len(self._references.get(record.name, ())))
        return VolumeResource(
            created_at=record.created.partition(".")[0].removesuffix("Z") + "Z",
            driver="local",
            labels=record.labels,
            mountpoint=str(self._directories.mountpoint(record.name)),
            name=record.name,
            options=record.options,
            usage_data=usage,
        )
