"""Events as the Engine API streams them from /events, and the filters that select them."""

from collections.abc import Mapping, Sequence

import msgspec

LEGACY_TYPES = frozenset({"container", "image"})
"""Types whose events also carry `status`, `id` and `from`, fields older than API 1.22."""

PREFIX_ACTIONS = frozenset({"health_status", "exec_create", "exec_start"})
"""Actions followed by a colon and details: a filter without the colon matches them all."""

NAMED_FILTERS = ("container", "daemon", "network", "node", "plugin", "secret", "service", "volume")
"""Filters that match the beginning of the actor's id or name."""


class Actor(msgspec.Struct, frozen=True):
    """The object that an event happened to."""

    id: str = msgspec.field(name="ID")
    attributes: dict[str, str] = msgspec.field(name="Attributes", default_factory=dict)


class Event(msgspec.Struct, frozen=True):
    """One event; encodes to the JSON object of API 1.51, in dockerd's order of fields."""

    status: str | msgspec.UnsetType
    id: str | msgspec.UnsetType
    origin: str | msgspec.UnsetType = msgspec.field(name="from")
    type: str = msgspec.field(name="Type")
    action: str = msgspec.field(name="Action")
    actor: Actor = msgspec.field(name="Actor")
    scope: str
    time: int
    time_nano: int = msgspec.field(name="timeNano")


def new_event(
    kind: str, action: str, actor_id: str, attributes: Mapping[str, str], time_nano: int
) -> Event:
    """An event of this engine at `time_nano`, nanoseconds since the epoch."""
    legacy = kind in LEGACY_TYPES
    image = attributes.get("image") if kind == "container" else None
    return Event(
        status=action if legacy else msgspec.UNSET,
        id=actor_id if legacy else msgspec.UNSET,
        origin=image if image is not None else msgspec.UNSET,
        type=kind,
        action=action,
        actor=Actor(actor_id, dict(attributes)),
        scope="local",
        time=time_nano // 1_000_000_000,
        time_nano=time_nano,
    )


class EventFilter(msgspec.Struct, frozen=True):
    """The filters of a request: values of one key are alternatives, all keys must match."""

    values: Mapping[str, Sequence[str]] = {}

    def matches(self, event: Event) -> bool:
        """Whether dockerd would show this event under these filters."""
        name = event.actor.attributes.get("name", "")
        return (
            self._action(event.action)
            and self._exact("type", event.type)
            and self._exact("scope", event.scope)
            and all(self._fuzzy(key, event.actor.id, name) for key in NAMED_FILTERS)
            and self._image(event)
            and self._labels(event.actor.attributes)
        )

    def _exact(self, key: str, *candidates: str) -> bool:
        wanted = self.values.get(key)
        return not wanted or any(candidate in wanted for candidate in candidates)

    def _fuzzy(self, key: str, *candidates: str) -> bool:
        wanted = self.values.get(key)
        return not wanted or any(text.startswith(w) for text in candidates for w in wanted)

    def _action(self, action: str) -> bool:
        wanted = self.values.get("event")
        if not wanted or action in wanted:
            return True
        head, colon, _ = action.partition(":")
        return bool(colon) and head in PREFIX_ACTIONS and head in wanted

    def _image(self, event: Event) -> bool:
        key = "name" if event.type == "image" else "image"
        name = event.actor.attributes.get(key, "")
        identity = event.actor.id
        return self._exact("image", identity, name, _untagged(identity), _untagged(name))

    def _labels(self, attributes: Mapping[str, str]) -> bool:
        for wanted in self.values.get("label", ()):
            key, equals, value = wanted.partition("=")
            if key not in attributes or (equals and attributes[key] != value):
                return False
        return True


def _untagged(name: str) -> str:
    head, colon, tag = name.partition("@")[0].rpartition(":")
    return head if colon and "/" not in tag else name
