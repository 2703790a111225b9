"""The index of containers between their making and their end."""

import asyncio
from pathlib import Path

from wherry.engine.containers.container import Container, Record
from wherry.engine.containers.index import KIND, ContainerIndex
from wherry.model.docker.container import ContainerConfig, HostConfig
from wherry.store.records.database import Database

ID = "a" * 64


def record() -> Record:
    return Record(
        id=ID, name="box", created="2026-01-01T00:00:00Z", image_id="i", image="i",
        config=ContainerConfig(), host=HostConfig(), path="true", args=(),
    )  # fmt: skip


def test_a_name_that_is_reserved_for_a_container_on_its_way_finds_none_yet(tmp_path: Path) -> None:
    database = Database(tmp_path / "records.db")
    try:
        index = ContainerIndex(database)
        index.reserve_name("box", ID)
        assert index.find("box") is None
    finally:
        database.close()


def test_a_removed_container_is_not_brought_back_by_whoever_still_writes_it(tmp_path: Path) -> None:
    async def scenario(database: Database) -> int:
        index = ContainerIndex(database)
        container = Container(record())
        index.reserve_name("box", ID)
        await index.add(container)
        container.removed = True
        await index.remove(container)
        await index.save(container)
        return len(database.read_all(KIND))

    database = Database(tmp_path / "records.db")
    try:
        assert asyncio.run(scenario(database)) == 0
    finally:
        database.close()
