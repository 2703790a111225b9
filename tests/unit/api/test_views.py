"""What changes between versions of the API: bodies, views, streams."""

import pytest

from wherry.api.create_compat import create_request, update_request
from wherry.api.json_stream import JSON, JSON_LINES, JSON_SEQUENCE, NDJSON, framed, negotiated
from wherry.api.system_views import disk_usage_view, event_view
from wherry.base.errors import InvalidParameter
from wherry.engine.system.disk_usage import Measured
from wherry.model.docker.container import (
    BindOptions,
    CreateRequest,
    EndpointSettings,
    HostConfig,
    ImageOptions,
    MountRequest,
    NetworkingConfig,
    TmpfsOptions,
    UpdateRequest,
    VolumeOptions,
)
from wherry.model.docker.disk_usage import ImageItem, Usage
from wherry.model.event import new_event

MAC = "02:42:ac:11:00:07"


def with_mounts(*mounts: MountRequest) -> CreateRequest:
    return CreateRequest(image="a", host_config=HostConfig(mounts=list(mounts)))


def with_endpoints(**endpoints: EndpointSettings) -> CreateRequest:
    return CreateRequest(image="a", networking_config=NetworkingConfig(dict(endpoints)))


def test_a_container_wide_mac_address_goes_to_its_network_and_is_refused_since_1_52() -> None:
    body = CreateRequest(image="a", mac_address=MAC)
    for version, warnings in (((1, 43), 0), ((1, 44), 1), ((1, 51), 1)):
        made = create_request(body, version)
        assert made.body.networking_config is not None
        endpoints = made.body.networking_config.endpoints_config or {}
        settings = endpoints["bridge"]
        assert settings is not None
        assert settings.mac_address == MAC
        assert len(made.warnings) == warnings
    with pytest.raises(InvalidParameter, match="container-wide MAC address no longer supported"):
        create_request(body, (1, 52))


def test_before_1_44_an_endpoints_own_mac_address_and_a_second_network_are_not_known() -> None:
    one = create_request(with_endpoints(a=EndpointSettings(mac_address=MAC)), (1, 43)).body
    assert one.networking_config == NetworkingConfig({"a": EndpointSettings()})
    two = with_endpoints(a=EndpointSettings(), b=EndpointSettings())
    with pytest.raises(InvalidParameter, match="multiple network endpoints: a, b"):
        create_request(two, (1, 43))
    assert create_request(two, (1, 44)).body.networking_config == two.networking_config


def test_the_two_mac_addresses_of_one_network_must_be_the_same() -> None:
    other = EndpointSettings(mac_address="02:00:00:00:00:01")
    body = CreateRequest(
        image="a", mac_address=MAC, networking_config=NetworkingConfig({"bridge": other})
    )
    with pytest.raises(InvalidParameter, match="must match the endpoint-specific MAC address"):
        create_request(body, (1, 44))


@pytest.mark.parametrize(
    ("mount", "version", "text"),
    [
        (MountRequest("tmpfs", target="/a", volume_options=VolumeOptions()), (1, 42),
         'VolumeOptions must not be specified on mount type "tmpfs"'),
        (MountRequest("volume", target="/a", bind_options=BindOptions()), (1, 42),
         'BindOptions must not be specified on mount type "volume"'),
        (MountRequest("bind", "/", "/a", tmpfs_options=TmpfsOptions()), (1, 55),
         'TmpfsOptions must not be specified on mount type "bind"'),
        (MountRequest("image", "b", "/a", image_options=ImageOptions()), (1, 47),
         'Mount type "Image" needs API v1.48 or newer'),
        (MountRequest("volume", "v", "/a", volume_options=VolumeOptions(subpath="s")), (1, 44),
         "VolumeOptions.Subpath needs API v1.45 or newer"),
        (MountRequest("bind", "/", "/a", True,
                      bind_options=BindOptions(read_only_force_recursive=True)), (1, 43),
         "BindOptions.ReadOnlyForceRecursive needs API v1.44 or newer"),
    ],
)  # fmt: skip
def test_options_that_a_version_does_not_allow_are_refused_in_dockers_words(
    mount: MountRequest, version: tuple[int, int], text: str
) -> None:
    with pytest.raises(InvalidParameter) as refused:
        create_request(with_mounts(mount), version)
    assert refused.value.message == text


def test_before_1_42_options_of_other_mounts_are_passed_over() -> None:
    mount = MountRequest("tmpfs", target="/a", volume_options=VolumeOptions(no_copy=True))
    made = create_request(with_mounts(mount), (1, 41)).body.host_config
    assert made is not None
    assert made.mounts == [MountRequest("tmpfs", target="/a")]


def test_before_1_44_read_only_binds_are_not_recursive() -> None:
    mount = MountRequest("bind", "/", "/a", True)
    for version, options in (
        ((1, 43), BindOptions(read_only_non_recursive=True)), ((1, 44), None),
    ):  # fmt: skip
        made = create_request(with_mounts(mount), version).body.host_config
        assert made is not None
        assert made.mounts is not None
        assert made.mounts[0].bind_options == options


def test_fields_younger_than_the_version_are_passed_over() -> None:
    host = HostConfig(annotations={"a": "b"}, console_size=[24, 80], pids_limit=-1)
    old = create_request(CreateRequest(image="a", host_config=host), (1, 41)).body.host_config
    assert old is not None
    assert (old.annotations, old.console_size, old.pids_limit) == (None, [0, 0], None)
    new = create_request(CreateRequest(image="a", host_config=host), (1, 43)).body.host_config
    assert new is not None
    assert (new.annotations, new.console_size) == ({"a": "b"}, [24, 80])


def test_an_update_of_block_devices_came_with_1_55() -> None:
    body = UpdateRequest(blkio_device_read_bps=[], pids_limit=0)
    assert update_request(body, (1, 54)).blkio_device_read_bps is None
    assert update_request(body, (1, 55)).blkio_device_read_bps == []
    assert update_request(body, (1, 55)).pids_limit == -1


def test_events_lose_their_oldest_fields_with_1_52() -> None:
    event = new_event("container", "start", "id", {"image": "a"}, 10**18)
    old, new = event_view(event, (1, 51)), event_view(event, (1, 52))
    assert old is not None
    assert new is not None
    assert framed(old, JSON).startswith(b'{"status":"start","id":"id","from":"a","Type"')
    assert framed(new, JSON).startswith(b'{"Type":"container"')
    assert event_view(new_event("image", "create", "id", {}, 1), (1, 45)) is None


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("", JSON), ("*/*", JSON), ("application/json", JSON), (NDJSON, NDJSON),
        ("application/json-seq;q=0.5, application/x-ndjson;q=0.4", JSON_SEQUENCE),
        ("text/plain, Application/JSONL", JSON_LINES), ("application/x-ndjson;q=0", JSON),
    ],
)  # fmt: skip
def test_a_streams_type_is_negotiated_and_a_wildcard_asks_for_none(accept: str, kind: str) -> None:
    assert negotiated(accept, JSON) == kind


def test_objects_of_a_sequence_begin_with_a_record_separator() -> None:
    assert framed({"a": 1}, JSON_SEQUENCE) == b'\x1e{"a":1}\n'


def test_the_shapes_of_disk_usage_follow_the_version() -> None:
    item = ImageItem(
        containers=0, created=1, id="i", labels=None, parent_id="", repo_digests=[], repo_tags=[],
        shared_size=0, size=7,
    )  # fmt: skip
    measured = Measured(Usage(items=[item], total_count=1, total_size=7), None, None, None, None)
    oldest = disk_usage_view(measured, (1, 43), verbose=False)
    assert oldest.images[0]["VirtualSize"] == 7  # type: ignore[index]
    old = disk_usage_view(measured, (1, 51), verbose=False)
    assert (old.images, old.layers_size) == ([item], 7)
    assert not old.image_usage
    both = disk_usage_view(measured, (1, 52), verbose=False)
    assert both.images == [item]
    assert both.image_usage == Usage(total_count=1, total_size=7)
    new = disk_usage_view(measured, (1, 52), verbose=True)
    assert not new.images
    assert new.image_usage == measured.images
