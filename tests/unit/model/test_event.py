"""The JSON of events and the meaning of their filters."""

import msgspec
import pytest

from wherry.model.event import EventFilter, new_event

START = new_event(
    "container", "start", "abc123", {"image": "busybox:latest", "name": "web", "tier": "front"}, 5
)
HEALTH = new_event("container", "health_status: healthy", "abc123", {"name": "web"}, 6)
PULL = new_event("image", "pull", "busybox:latest", {"name": "busybox"}, 7)
CREATE = new_event("volume", "create", "data", {"driver": "local"}, 2_000_000_001)


def test_container_events_carry_the_legacy_fields_in_dockerds_order() -> None:
    fields = list(msgspec.json.decode(msgspec.json.encode(START)))
    assert fields == [
        "status", "id", "from", "Type", "Action", "Actor", "scope", "time", "timeNano",
    ]  # fmt: skip


def test_image_events_have_no_origin_and_volume_events_no_legacy_fields() -> None:
    assert "from" not in msgspec.json.decode(msgspec.json.encode(PULL))
    assert next(iter(msgspec.json.decode(msgspec.json.encode(CREATE)))) == "Type"


def test_time_is_in_seconds_and_time_nano_in_nanoseconds() -> None:
    assert (CREATE.time, CREATE.time_nano) == (2, 2_000_000_001)


@pytest.mark.parametrize(
    ("values", "matches"),
    [
        ({}, True),
        ({"type": ["container"]}, True),
        ({"type": ["image", "container"]}, True),
        ({"type": ["image"]}, False),
        ({"event": ["start"]}, True),
        ({"event": ["die"]}, False),
        ({"container": ["abc"]}, True),
        ({"container": ["web"]}, True),
        ({"container": ["nope"]}, False),
        ({"image": ["busybox"]}, True),
        ({"image": ["busybox:latest"]}, True),
        ({"image": ["debian"]}, False),
        ({"label": ["tier"]}, True),
        ({"label": ["tier=front", "name=web"]}, True),
        ({"label": ["tier=back"]}, False),
        ({"scope": ["local"]}, True),
        ({"scope": ["swarm"]}, False),
        ({"type": ["container"], "event": ["die"]}, False),
    ],
)
def test_filters_match_as_dockerds(values: dict[str, list[str]], matches: bool) -> None:
    assert EventFilter(values).matches(START) is matches


def test_an_event_filter_without_details_matches_actions_with_details() -> None:
    assert EventFilter({"event": ["health_status"]}).matches(HEALTH)
    assert EventFilter({"event": ["health_status: healthy"]}).matches(HEALTH)
    assert not EventFilter({"event": ["health_status: unhealthy"]}).matches(HEALTH)


def test_an_image_filter_matches_an_images_name_without_its_tag() -> None:
    assert EventFilter({"image": ["busybox"]}).matches(PULL)
