"""Sizes that are kept: measured once at a time, answered from before while a disk is slow."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from wherry.engine.pools import Pools
from wherry.engine.system import kept_sizes
from wherry.engine.system.kept_sizes import KeptSizes, Wanted


class Disk:
    """Measures as often as it is asked, and as slowly as it is told."""

    def __init__(self, *sizes: int) -> None:
        self.sizes = iter(sizes)
        self.looks = 0
        self.free = threading.Event()
        self.free.set()

    def __call__(self) -> int:
        self.looks += 1
        size = next(self.sizes)
        self.free.wait(30)
        return size


@pytest.fixture
def pools() -> Iterator[Pools]:
    made = Pools()
    yield made
    made.close()


@pytest.fixture
def stale(monkeypatch: pytest.MonkeyPatch) -> None:
    """No size is fresh."""
    monkeypatch.setattr(kept_sizes, "FRESH", 0.0)


def test_a_fresh_size_is_not_measured_again(pools: Pools, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_sizes, "FRESH", 1000.0)
    disk = Disk(5, 6)

    async def ask() -> list[int]:
        sizes = KeptSizes(pools)
        return [await sizes.of("a", disk), await sizes.of("a", disk)]

    assert asyncio.run(ask()) == [5, 5]
    assert disk.looks == 1


def test_an_old_size_is_measured_again_and_a_lasting_one_never(pools: Pools, stale: None) -> None:
    changing, lasting = Disk(5, 6), Disk(7)

    async def ask() -> list[int]:
        sizes = KeptSizes(pools)
        wanted = [Wanted("a", changing), Wanted("b", lasting, lasting=True)]
        return [*await sizes.of_all(wanted), *await sizes.of_all(wanted)]

    assert asyncio.run(ask()) == [5, 7, 6, 7]
    assert lasting.looks == 1


def test_while_a_disk_is_slow_the_size_of_before_is_told_and_the_new_one_later(
    pools: Pools, stale: None
) -> None:
    disk = Disk(5, 6, 7)

    async def ask() -> list[int]:
        sizes = KeptSizes(pools)
        told = [await sizes.of("a", disk)]
        disk.free.clear()
        told += [await sizes.of("a", disk), await sizes.of("a", disk)]
        disk.free.set()
        while told[-1] == 5:
            told.append(await sizes.of("a", disk))
        return told

    told = asyncio.run(ask())
    assert told[:3] == [5, 5, 5]
    assert told[-1] in (6, 7)
    assert disk.looks <= 3


def test_what_is_asked_for_together_is_measured_once(pools: Pools) -> None:
    disk = Disk(5)

    async def ask() -> list[int]:
        sizes = KeptSizes(pools)
        return await asyncio.gather(*(sizes.of("a", disk) for _ in range(10)))

    assert asyncio.run(ask()) == [5] * 10
    assert disk.looks == 1


def test_no_more_sizes_are_kept_than_the_limit(
    pools: Pools, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_sizes, "LIMIT", 2)
    monkeypatch.setattr(kept_sizes, "FRESH", 1000.0)
    first = Disk(1, 2)

    async def ask() -> int:
        sizes = KeptSizes(pools)
        for key, disk in (("a", first), ("b", Disk(1)), ("c", Disk(1))):
            await sizes.of(key, disk)
        return await sizes.of("a", first)

    assert asyncio.run(ask()) == 2
