"""The secrets of this engine: records in memory, their content sealed in the database."""

import asyncio
from collections.abc import Mapping

import msgspec

from wherry.base.clock import timestamp
from wherry.base.errors import InvalidParameter
from wherry.engine.pools import Pools
from wherry.engine.secrets.record import (
    NoSuchSecret,
    SecretExists,
    SecretRecord,
    check_name,
    check_size,
    new_secret_id,
)
from wherry.engine.system.event_bus import EventBus
from wherry.store.records.database import Database, Delete, Put
from wherry.store.secrets.vault import Vault

KIND = "secret"
"""The kind of secrets' records."""


class SecretState:
    """Which secrets exist; content leaves it by `reveal` only, for a container's start."""

    def __init__(self, vault: Vault, database: Database, pools: Pools, events: EventBus) -> None:
        """Collaborators are shared with the use cases of this package."""
        self._vault = vault
        self._database = database
        self._pools = pools
        self._events = events
        self._records: dict[str, SecretRecord] = {}
        self._lock = asyncio.Lock()

    def open(self) -> None:
        """Reads the records."""
        for identifier, data in self._database.read_all(KIND).items():
            self._records[identifier] = msgspec.msgpack.decode(data, type=SecretRecord)

    def records(self) -> list[SecretRecord]:
        """All secrets."""
        return list(self._records.values())

    def get(self, reference: str) -> SecretRecord:
        """The secret of an id, a name or a unique beginning of an id; raises NoSuchSecret."""
        if reference in self._records:
            return self._records[reference]
        for record in self._records.values():
            if record.name == reference:
                return record
        begun = [item for key, item in self._records.items() if reference and
                 key.startswith(reference)]  # fmt: skip
        if len(begun) > 1:
            raise InvalidParameter(f"secret {reference} is ambiguous ({len(begun)} matches found)")
        if not begun:
            raise NoSuchSecret(reference)
        return begun[0]

    async def create(
        self, name: str, content: bytes, labels: Mapping[str, str] | None
    ) -> SecretRecord:
        """Stores a new secret; raises InvalidParameter, SecretExists."""
        check_name(name)
        check_size(content)
        async with self._lock:
            if any(record.name == name for record in self._records.values()):
                raise SecretExists(name)
            identifier, now = new_secret_id(), timestamp()
            sealed = await self._pools.run("disk", self._vault.seal, identifier, content)
            record = SecretRecord(identifier, name, now, now, sealed, dict(labels or {}))
            await self._put(record)
        self._publish("create", record)
        return record

    async def relabel(
        self, record: SecretRecord, labels: Mapping[str, str] | None
    ) -> None:  # fmt: skip
        """Changes the labels, all that may change."""
        async with self._lock:
            changed = msgspec.structs.replace(
                self.get(record.id), labels=dict(labels or {}), updated=timestamp(),
                version=record.version + 1,
            )  # fmt: skip
            await self._put(changed)
        self._publish("update", changed)

    async def remove(self, record: SecretRecord) -> None:
        """Forgets a secret; raises NoSuchSecret if somebody was faster."""
        async with self._lock:
            if record.id not in self._records:
                raise NoSuchSecret(record.name)
            await asyncio.wrap_future(self._database.submit([Delete(KIND, record.id)]))
            del self._records[record.id]
        self._publish("remove", record)

    def reveal(self, reference: str) -> bytes:
        """A secret's content; blocking. Raises NoSuchSecret, DataCorrupt."""
        record = self.get(reference)
        return self._vault.open(record.id, record.sealed)

    async def _put(self, record: SecretRecord) -> None:
        put = Put(KIND, record.id, msgspec.msgpack.encode(record))
        await asyncio.wrap_future(self._database.submit([put], durable=True))
        self._records[record.id] = record

    def _publish(self, action: str, record: SecretRecord) -> None:
        self._events.publish("secret", action, record.id, {"name": record.name})
