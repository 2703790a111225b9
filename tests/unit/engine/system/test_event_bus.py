"""Events reach their subscribers, past and present, and slow ones cost a bounded amount."""

import asyncio

from wherry.base.clock import now_ns
from wherry.engine.system.event_bus import QUEUE_SIZE, RING_SIZE, EventBus, Subscription


async def read(subscription: Subscription) -> list[str]:
    """The actor ids of all events until the end of the stream."""
    return [event.actor.id async for event in subscription]


def test_a_subscriber_sees_what_is_published_after_it_came() -> None:
    async def scenario() -> list[str]:
        bus = EventBus()
        bus.publish("volume", "create", "before")
        subscription = bus.subscribe()
        bus.publish("volume", "create", "after")
        subscription.close()
        return await read(subscription)

    assert asyncio.run(scenario()) == ["after"]


def test_since_shows_the_ring_and_goes_on() -> None:
    async def scenario() -> list[str]:
        bus = EventBus()
        for number in range(RING_SIZE + 10):
            bus.publish("volume", "create", str(number))
        subscription = bus.subscribe({}, since=0)
        bus.publish("volume", "create", "new")
        subscription.close()
        return await read(subscription)

    seen = asyncio.run(scenario())
    assert (seen[0], seen[-1], len(seen)) == ("10", "new", RING_SIZE + 1)


def test_an_until_in_the_past_ends_the_stream_at_once() -> None:
    async def scenario() -> tuple[list[str], int]:
        bus = EventBus()
        bus.publish("volume", "create", "old")
        subscription = bus.subscribe({}, since=0, until=now_ns())
        bus.publish("volume", "create", "late")
        return await read(subscription), bus.subscribers

    assert asyncio.run(scenario()) == (["old"], 0)


def test_an_until_in_the_future_ends_the_stream_then() -> None:
    async def scenario() -> list[str]:
        bus = EventBus()
        subscription = bus.subscribe({}, until=now_ns() + 20_000_000)
        bus.publish("volume", "create", "soon")
        return await asyncio.wait_for(read(subscription), 5)

    assert asyncio.run(scenario()) == ["soon"]


def test_a_waiting_reader_is_woken_by_an_event() -> None:
    async def scenario() -> str:
        bus = EventBus()
        subscription = bus.subscribe({"type": ["volume"]})
        reader = asyncio.ensure_future(anext(subscription))
        await asyncio.sleep(0)
        bus.publish("network", "create", "other")
        bus.publish("volume", "create", "mine")
        return (await asyncio.wait_for(reader, 5)).actor.id

    assert asyncio.run(scenario()) == "mine"


def test_a_reader_that_falls_hopelessly_behind_is_ended_and_knows_it() -> None:
    async def scenario() -> tuple[int, bool, int]:
        bus = EventBus()
        subscription = bus.subscribe()
        for _ in range(QUEUE_SIZE + 5):
            bus.publish("volume", "create", "x")
        return len(await read(subscription)), subscription.lagged, bus.subscribers

    assert asyncio.run(scenario()) == (QUEUE_SIZE, True, 0)


def test_closing_the_bus_ends_all_streams() -> None:
    async def scenario() -> list[str]:
        bus = EventBus()
        subscription = bus.subscribe()
        reader = asyncio.ensure_future(read(subscription))
        await asyncio.sleep(0)
        bus.close()
        return await asyncio.wait_for(reader, 5)

    assert asyncio.run(scenario()) == []
