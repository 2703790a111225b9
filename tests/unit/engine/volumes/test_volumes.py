"""Volumes as users see them: created once, in use while referred to, pruned by label."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest

from wherry.base.errors import InvalidParameter, NotFound
from wherry.engine.pools import Pools
from wherry.engine.system.event_bus import EventBus
from wherry.engine.volumes.create import CreateVolume
from wherry.engine.volumes.list import ListVolumes
from wherry.engine.volumes.prune import PruneVolumes
from wherry.engine.volumes.record import ANONYMOUS_LABEL, NoSuchVolume, VolumeInUse
from wherry.engine.volumes.remove import RemoveVolume
from wherry.engine.volumes.state import VolumeState
from wherry.model.docker.volume import VolumeCreateRequest
from wherry.store.records.database import Database
from wherry.store.volume.directory import VolumeDirectories

T = TypeVar("T")


class InlinePools(Pools):
    """Runs everything at once in the caller's thread."""

    def __init__(self) -> None:
        """No threads."""

    async def run(self, name: str, function: Callable[..., Any], *args: Any) -> Any:
        """The result of the call."""
        return function(*args)


def with_volumes(root: Path, scenario: Callable[[VolumeState, EventBus], Awaitable[T]]) -> T:
    """Runs a scenario on the volumes of a data root, as after a start of the daemon."""

    async def run() -> T:
        database = Database(root / "wherry.db")
        events = EventBus()
        state = VolumeState(VolumeDirectories(root / "volumes"), database, InlinePools(), events)
        try:
            await state.open()
            return await scenario(state, events)
        finally:
            database.close()

    return asyncio.run(run())


def test_a_volume_and_its_labels_survive_the_daemon(tmp_path: Path) -> None:
    async def make(state: VolumeState, _: EventBus) -> None:
        await state.create("data", labels={"tier": "db"})

    async def look(state: VolumeState, _: EventBus) -> Any:
        return state.describe(state.get("data"))

    with_volumes(tmp_path, make)
    shown = with_volumes(tmp_path, look)
    assert shown.labels == {"tier": "db"}
    assert shown.mountpoint == str(tmp_path / "volumes" / "data" / "_data")


def test_creating_an_existing_volume_gives_it_back_unchanged(tmp_path: Path) -> None:
    async def scenario(state: VolumeState, events: EventBus) -> Any:
        subscription = events.subscribe()
        first = await state.create("data", labels={"a": "1"})
        second = await state.create("data", labels={"b": "2"})
        subscription.close()
        return first == second, [event.action async for event in subscription]

    assert with_volumes(tmp_path, scenario) == (True, ["create"])


def test_a_volume_without_a_name_is_anonymous(tmp_path: Path) -> None:
    async def scenario(state: VolumeState, _: EventBus) -> Any:
        return await CreateVolume(state)(VolumeCreateRequest())

    shown = with_volumes(tmp_path, scenario)
    assert len(shown.name) == 64
    assert shown.labels == {ANONYMOUS_LABEL: ""}


@pytest.mark.parametrize("bad", ["x", "a/b", "../up", "-x", "a b"])
def test_bad_names_are_refused_and_make_nothing(tmp_path: Path, bad: str) -> None:
    async def scenario(state: VolumeState, _: EventBus) -> None:
        with pytest.raises(InvalidParameter):
            await state.create(bad)

    with_volumes(tmp_path, scenario)
    assert list((tmp_path / "volumes").iterdir()) == []


def test_an_unknown_driver_is_not_found(tmp_path: Path) -> None:
    async def scenario(state: VolumeState, _: EventBus) -> None:
        with pytest.raises(NotFound, match='plugin "nas" not found'):
            await state.create("data", driver="nas")

    with_volumes(tmp_path, scenario)


def test_a_volume_in_use_stays_until_its_last_container_is_removed(tmp_path: Path) -> None:
    async def scenario(state: VolumeState, _: EventBus) -> None:
        await state.create("data")
        state.reference("data", "c1")
        with pytest.raises(VolumeInUse, match=r"remove data: volume is in use - \[c1\]"):
            await state.remove("data", force=True)
        state.dereference("data", "c1")
        await state.remove("data")
        with pytest.raises(NoSuchVolume, match="get data: no such volume"):
            state.get("data")
        await state.remove("data", force=True)

    with_volumes(tmp_path, scenario)


def test_prune_takes_unused_anonymous_volumes_and_named_ones_only_when_told(
    tmp_path: Path,
) -> None:
    async def scenario(state: VolumeState, _: EventBus) -> Any:
        anonymous = (await state.create("")).name
        (state.mountpoint(anonymous) / "file").write_bytes(b"x" * 100)
        await state.create("named")
        await state.create("kept", labels={"keep": "1"})
        await state.create("used")
        state.reference("used", "c1")
        prune = PruneVolumes(state)
        first = await prune({})
        second = await prune({"all": ["true"], "label!": ["keep"]})
        left = [volume.name for volume in ListVolumes(state)({})]
        return first.volumes_deleted == [anonymous], first.space_reclaimed, second, left

    only_anonymous, reclaimed, second, left = with_volumes(tmp_path, scenario)
    assert only_anonymous and reclaimed == 100
    assert second.volumes_deleted == ["named"]
    assert left == ["kept", "used"]


def test_list_filters_by_name_label_driver_and_use(tmp_path: Path) -> None:
    async def scenario(state: VolumeState, _: EventBus) -> Any:
        await state.create("alpha", labels={"tier": "db"})
        await state.create("beta")
        state.reference("beta", "c1")
        listing = ListVolumes(state)
        filters: list[dict[str, list[str]]] = [
            {"name": ["alp"]}, {"label": ["tier=db"]}, {"dangling": ["true"]},
            {"dangling": ["false"]}, {"driver": ["nas"]},
        ]  # fmt: skip
        return [[volume.name for volume in listing(wanted)] for wanted in filters]

    found = with_volumes(tmp_path, scenario)
    assert found == [["alpha"], ["alpha"], ["alpha"], ["beta"], []]


def test_rm_with_volumes_removes_anonymous_unshared_ones_only(tmp_path: Path) -> None:
    async def scenario(state: VolumeState, _: EventBus) -> Any:
        await state.create("named")
        mine = (await state.create("")).name
        shared = (await state.create("")).name
        state.reference(shared, "other")
        await RemoveVolume(state).anonymous(["named", mine, shared, "gone"])
        return sorted(record.name for record in state.records()) == sorted(["named", shared])

    assert with_volumes(tmp_path, scenario)


def test_a_directory_without_a_record_becomes_a_volume(tmp_path: Path) -> None:
    (tmp_path / "volumes" / "found" / "_data").mkdir(parents=True)

    async def scenario(state: VolumeState, _: EventBus) -> Any:
        return state.get("found").labels

    assert with_volumes(tmp_path, scenario) is None
