"""Durable records: documents by kind and id in one SQLite file, written by one thread.

Readers keep what they read at start in memory; this room is asked again only after a restart.
"""

import errno
import os
import queue
import sqlite3
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path

import msgspec

from wherry.base.errors import DataCorrupt, InternalError

SCHEMA_VERSION = 1
"""Raised with every change of the schema; an older file is migrated, a newer one refused."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS records (
    kind TEXT NOT NULL, id TEXT NOT NULL, data BLOB NOT NULL, PRIMARY KEY (kind, id)
) WITHOUT ROWID;
"""


_LOG_SIZE = 6 << 20
"""Bytes of the write-ahead log; SQLite begins it anew at 1,000 pages, some 4 MB."""


class Put(msgspec.Struct, frozen=True):
    """Writes the document `data` under (`kind`, `id`), replacing what was there."""

    kind: str
    id: str
    data: bytes


class Delete(msgspec.Struct, frozen=True):
    """Removes the document under (`kind`, `id`) if it is there."""

    kind: str
    id: str


Change = Put | Delete


class _Batch(msgspec.Struct, frozen=True):
    changes: tuple[Change, ...]
    durable: bool
    done: Future[None]


class Database:
    """One SQLite file in WAL mode with a writer thread that commits waiting batches together."""

    def __init__(self, path: Path) -> None:
        """Opens or makes the file; raises DataCorrupt if it is of a newer Wherry or no database."""
        self._path = path
        self._queue: queue.SimpleQueue[_Batch | None] = queue.SimpleQueue()
        try:
            connection = self._connect()
            with connection:
                version = connection.execute("PRAGMA user_version").fetchone()[0]
                if version > SCHEMA_VERSION:
                    raise DataCorrupt(
                        f"{path} was written by a newer wherry (schema {version}, "
                        f"this one knows {SCHEMA_VERSION}): start that version"
                    )
                connection.executescript(_SCHEMA)
                connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            connection.close()
        except sqlite3.DatabaseError as error:
            raise DataCorrupt(f"{path} cannot be read as a database: {error}") from error
        self._thread = threading.Thread(target=self._write_batches, name="records", daemon=True)
        self._thread.start()

    def read_all(self, kind: str) -> dict[str, bytes]:
        """All documents of a kind by id."""
        connection = self._connect()
        try:
            rows = connection.execute("SELECT id, data FROM records WHERE kind = ?", (kind,))
            return dict(rows.fetchall())
        finally:
            connection.close()

    def submit(self, changes: Sequence[Change], *, durable: bool = False) -> Future[None]:
        """Queues changes as one transaction; the future ends when it is committed.

        With `durable` it then survives a power cut, else only the death of the process. A failed
        transaction ends the future with InternalError and leaves nothing of it.
        """
        done: Future[None] = Future()
        self._queue.put(_Batch(tuple(changes), durable, done))
        return done

    def close(self) -> None:
        """Writes what is queued and ends the writer."""
        self._queue.put(None)
        self._thread.join()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=10, isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        return connection

    def _reserve_room(self) -> None:
        """Makes the log of writes as large as it will get: on a full disk things can be removed."""
        descriptor = os.open(f"{self._path}-wal", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            os.posix_fallocate(descriptor, 0, _LOG_SIZE)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EOPNOTSUPP, errno.EINVAL):
                raise
        finally:
            os.close(descriptor)

    def _write_batches(self) -> None:
        connection = self._connect()
        self._reserve_room()
        running = True
        while running:
            batches: list[_Batch] = []
            item = self._queue.get()
            while True:
                if item is None:
                    running = False
                    break
                batches.append(item)
                if self._queue.empty():
                    break
                item = self._queue.get()
            if batches:
                self._commit(connection, batches)
        connection.close()

    def _commit(self, connection: sqlite3.Connection, batches: list[_Batch]) -> None:
        durable = any(batch.durable for batch in batches)
        connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
        try:
            connection.execute("BEGIN IMMEDIATE")
            for batch in batches:
                for change in batch.changes:
                    self._apply(connection, change)
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            if len(batches) > 1:  # one bad batch must not fail its neighbours
                for batch in batches:
                    self._commit(connection, [batch])
                return
            batches[0].done.set_exception(InternalError(f"cannot write {self._path}: {error}"))
            return
        for batch in batches:
            batch.done.set_result(None)

    @staticmethod
    def _apply(connection: sqlite3.Connection, change: Change) -> None:
        match change:
            case Put(kind, identifier, data):
                connection.execute(
                    "INSERT OR REPLACE INTO records VALUES (?, ?, ?)", (kind, identifier, data)
                )
            case Delete(kind, identifier):
                connection.execute(
                    "DELETE FROM records WHERE kind = ? AND id = ?", (kind, identifier)
                )
