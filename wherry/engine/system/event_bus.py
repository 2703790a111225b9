"""Events of the engine: published by use cases, kept in a short ring, streamed to subscribers."""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence

from wherry.base.clock import now_ns
from wherry.model.event import Event, EventFilter, new_event

RING_SIZE = 256
"""Past events kept for `since`, as many as dockerd keeps."""

QUEUE_SIZE = 1024
"""Events that may wait for one slow subscriber."""


class Subscription:
    """One reader of events: an async iterator that ends when closed or hopelessly behind.

    A reader that lets more than QUEUE_SIZE events wait gets those and then the end of the stream
    with `lagged` set, so that a client notices the loss instead of missing events silently.
    """

    def __init__(self, bus: "EventBus", matching: EventFilter, past: Sequence[Event]) -> None:
        """Starts with the `past` events; the bus adds new ones."""
        self._bus = bus
        self._filter = matching
        self._waiting: deque[Event] = deque(past)
        self._ready = asyncio.Event()
        self._ended = False
        self._deadline: asyncio.TimerHandle | None = None
        self.lagged = False
        if past:
            self._ready.set()

    def offer(self, event: Event) -> None:
        """Queues an event if the filters let it pass; called by the bus."""
        if self._ended or not self._filter.matches(event):
            return
        if len(self._waiting) >= QUEUE_SIZE:
            self.lagged = True
            self.close()
            return
        self._waiting.append(event)
        self._ready.set()

    def close_at(self, deadline: asyncio.TimerHandle) -> None:
        """Keeps the timer that will close the stream, so that an earlier close stops it."""
        self._deadline = deadline

    def close(self) -> None:
        """Ends the stream after what already waits."""
        self._ended = True
        if self._deadline is not None:
            self._deadline.cancel()
        self._bus.forget(self)
        self._ready.set()

    def __aiter__(self) -> "Subscription":
        """The subscription is its own iterator."""
        return self

    async def __anext__(self) -> Event:
        """The next event, when there is one."""
        while not self._waiting:
            if self._ended:
                raise StopAsyncIteration
            self._ready.clear()
            await self._ready.wait()
        return self._waiting.popleft()


class EventBus:
    """Publishes events to any number of subscriptions; all calls on the event loop's thread."""

    def __init__(self) -> None:
        """An empty bus: the ring does not outlive the daemon, as in dockerd.

        `published` counts all events so far.
        """
        self._ring: deque[Event] = deque(maxlen=RING_SIZE)
        self._subscriptions: set[Subscription] = set()
        self._last = 0
        self.published = 0

    def publish(
        self, type: str, action: str, actor_id: str, attributes: Mapping[str, str] | None = None
    ) -> None:
        """Records one event now and hands it to the subscriptions; never blocks, never fails."""
        self._last = max(now_ns(), self._last + 1)  # times stay distinct and ordered
        event = new_event(type, action, actor_id, attributes or {}, self._last)
        self._ring.append(event)
        self.published += 1
        for subscription in tuple(self._subscriptions):
            subscription.offer(event)

    def subscribe(
        self,
        filters: Mapping[str, Sequence[str]] | None = None,
        since: int | None = None,
        until: int | None = None,
    ) -> Subscription:
        """Past events of the ring from `since` to `until` (nanoseconds), then the new ones.

        Without `since` and `until` nothing past is shown. A subscription whose `until` has
        passed holds the past only; one in the future is closed by the bus at that moment. The
        caller closes it in every case.
        """
        matching = EventFilter(filters or {})
        subscription = Subscription(self, matching, self._past(matching, since, until))
        if until is not None and until <= now_ns():
            subscription.close()
            return subscription
        self._subscriptions.add(subscription)
        if until is not None:
            delay = (until - now_ns()) / 1e9
            loop = asyncio.get_running_loop()
            subscription.close_at(loop.call_later(delay, subscription.close))
        return subscription

    def forget(self, subscription: Subscription) -> None:
        """Stops handing events to a subscription."""
        self._subscriptions.discard(subscription)

    def close(self) -> None:
        """Ends all subscriptions: the daemon stops."""
        for subscription in tuple(self._subscriptions):
            subscription.close()

    @property
    def subscribers(self) -> int:
        """How many subscriptions are open (`NEventsListener` of /info)."""
        return len(self._subscriptions)

    def _past(self, matching: EventFilter, since: int | None, until: int | None) -> list[Event]:
        if since is None and until is None:
            return []
        return [
            event
            for event in self._ring
            if (since is None or event.time_nano >= since)
            and (until is None or event.time_nano <= until)
            and matching.matches(event)
        ]
