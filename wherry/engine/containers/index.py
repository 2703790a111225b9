"""All containers of this engine by id and name, and their records."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import Future

import msgspec

from wherry.base.errors import Conflict, InvalidParameter, NotFound, WherryError
from wherry.engine.containers.container import Container, Record
from wherry.engine.state_machine import check_transition
from wherry.store.records.database import Change, Database, Delete, Put

KIND = "container"


class NoSuchContainer(NotFound):
    """No container has this name or id."""

    def __init__(self, reference: str) -> None:
        super().__init__(f"No such container: {reference}")
        self.reference = reference


class NameInUse(Conflict):
    """Another container has the name."""

    def __init__(self, name: str, holder: str) -> None:
        super().__init__(
            f'Conflict. The container name "/{name}" is already in use by container "{holder}". '
            "You have to remove (or rename) that container to be able to reuse that name."
        )


class ContainerIndex:
    """Answers from memory; writes each change as one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._by_id: dict[str, Container] = {}
        self._names: dict[str, str] = {}

    def open(self) -> None:
        """Reads the records of earlier daemons."""
        for data in self._database.read_all(KIND).values():
            record = msgspec.json.decode(data, type=Record)
            self._by_id[record.id] = Container(record)
            self._names[record.name] = record.id

    def all(self) -> list[Container]:
        """Every container, newest first."""
        return sorted(self._by_id.values(), key=lambda item: item.record.created, reverse=True)

    def get(self, reference: str) -> Container:
        """A container by id, name or unique beginning of its id; raises NoSuchContainer."""
        found = self.find(reference)
        if found is None:
            raise NoSuchContainer(reference)
        return found

    def find(self, reference: str) -> Container | None:
        """As `get`, None if there is none; raises InvalidParameter for an ambiguous beginning."""
        if reference in self._by_id:
            return self._by_id[reference]
        identifier = self._names.get(reference.removeprefix("/"))
        if identifier:
            return self._by_id.get(identifier)  # none yet: the name is reserved for it
        if not reference:
            return None
        matches = [key for key in self._by_id if key.startswith(reference)]
        if len(matches) > 1:
            raise InvalidParameter(f"multiple IDs found with provided prefix: {reference}")
        return self._by_id[matches[0]] if matches else None

    def reserve_name(self, name: str, identifier: str) -> None:
        """Takes a name; raises NameInUse."""
        holder = self._names.get(name)
        if holder and holder != identifier:
            raise NameInUse(name, holder)
        self._names[name] = identifier

    def free_name(self, name: str) -> None:
        """Gives a reserved name back."""
        self._names.pop(name, None)

    def is_name_taken(self, name: str) -> bool:
        """Whether some container has the name."""
        return name in self._names

    async def add(self, container: Container, beside: Sequence[Change] = ()) -> None:
        """Adds a container whose name is reserved, writing other changes in one transaction.

        One of `--rm` would not outlive a power cut anyway, so nothing waits for the disk.
        """
        durable = not container.record.host.auto_remove
        await self._write([self._put(container), *beside], durable=durable)
        self._by_id[container.id] = container

    async def save(self, container: Container, *, durable: bool = False) -> None:
        """Writes the record, but not that of a container which is removed: it would come back."""
        if not container.removed:
            await asyncio.wrap_future(self.begin_save(container, durable=durable))

    def begin_save(self, container: Container, *, durable: bool = False) -> Future[None]:
        """Begins to write the record; the future ends when it is written, in another thread."""
        return self._database.submit([self._put(container)], durable=durable)

    async def update_state(self, container: Container, **changes: object) -> None:
        """Changes the state and writes it."""
        state = msgspec.structs.replace(container.state, **changes)
        check_transition(container.state.status, state.status)
        before = container.record
        container.record = msgspec.structs.replace(before, state=state)
        try:
            await self.save(container)
        except WherryError:
            if container.record.state is state:  # nobody has changed it since
                container.record = msgspec.structs.replace(container.record, state=before.state)
            raise

    async def remove(self, container: Container, beside: Sequence[Change] = ()) -> None:
        """Forgets a container, writing other changes in one transaction.

        One of `--rm` that a power cut brings back is removed again.
        """
        durable = not container.record.host.auto_remove
        await self._write([Delete(KIND, container.id), *beside], durable=durable)
        self._by_id.pop(container.id, None)
        if self._names.get(container.name) == container.id:
            del self._names[container.name]

    def _put(self, container: Container) -> Put:
        return Put(KIND, container.id, msgspec.json.encode(container.record))

    async def _write(self, changes: Sequence[Change], *, durable: bool) -> None:
        await asyncio.wrap_future(self._database.submit(changes, durable=durable))
