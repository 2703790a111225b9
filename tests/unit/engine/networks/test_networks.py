"""Networks as users see them, without a kernel below."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest

from wherry.base.errors import Forbidden, InvalidParameter, NotFound, NotSupported, Unavailable
from wherry.engine.networks.create import CreateNetwork
from wherry.engine.networks.inspect import InspectNetwork
from wherry.engine.networks.list import ListNetworks
from wherry.engine.networks.prune import PruneNetworks
from wherry.engine.networks.remove import RemoveNetwork
from wherry.engine.networks.state import NetworkState
from wherry.engine.pools import Pools
from wherry.engine.system.event_bus import EventBus
from wherry.model.docker.network import (
    ConfigReference,
    Ipam,
    IpamConfig,
    NetworkCreateRequest,
)
from wherry.network.attachments import Attachments
from wherry.network.bridges import Bridges
from wherry.network.catalog import NetworkCatalog
from wherry.network.endpoint import EndpointRequest
from wherry.network.errors import (
    ConfigurationInUse,
    ConfigurationOnly,
    NetworkHasEndpoints,
    NetworkNameInUse,
    NoSuchNetwork,
    PredefinedNetwork,
)
from wherry.network.firewall import Firewall
from wherry.network.foreign import ForeignFirewalls
from wherry.network.ipam import DEFAULT_POOLS
from wherry.network.lifecycle import BridgeSettings, NetworkLifecycle
from wherry.network.ports import HostPorts
from wherry.network.publication import Publication
from wherry.network.record import NetworkRecord
from wherry.store.records.database import Database

T = TypeVar("T")


class InlinePools(Pools):
    """Runs everything at once in the caller's thread."""

    def __init__(self) -> None:
        """No threads."""

    async def run(self, name: str, function: Callable[..., Any], *args: Any) -> Any:
        """The result of the call."""
        return function(*args)


class FakeBridges(Bridges):
    """Bridges that exist in memory only."""

    def ensure(self, record: NetworkRecord) -> None:
        """Notes the bridge."""
        self._up[record.id] = record

    def remove(self, record: NetworkRecord) -> None:
        """Forgets the bridge."""
        self._up.pop(record.id, None)


class Engine:
    """The networks of one data root."""

    def __init__(self, database: Database) -> None:
        firewall = Firewall("wherry-test", enabled=False)
        bridges = FakeBridges(firewall, ForeignFirewalls(firewall, "wherry-test"))
        self.catalog = NetworkCatalog(DEFAULT_POOLS, list)
        self.attachments = Attachments(
            self.catalog, bridges, firewall, Publication(firewall, HostPorts())
        )
        self.events = EventBus()
        settings = BridgeSettings(name="wherry-none", bip="172.17.0.1/16")
        self.lifecycle = NetworkLifecycle(self.catalog, bridges, firewall, settings)
        self.state = NetworkState(
            self.catalog, self.lifecycle, database, InlinePools(), self.events
        )
        self.create = CreateNetwork(self.state)
        self.remove = RemoveNetwork(self.state)
        self.inspect = InspectNetwork(self.state)
        self.list = ListNetworks(self.state)

    def attach(self, network: str) -> None:
        """Puts a container on a network."""
        record = self.catalog.get(network)
        self.attachments.prepare([EndpointRequest("c" * 64, "box", record.id)])


def with_networks(root: Path, scenario: Callable[[Engine], Awaitable[T]]) -> T:
    """Runs a scenario on the networks of a data root, as after a start of the daemon."""

    async def run() -> T:
        database = Database(root / "wherry.db")
        try:
            engine = Engine(database)
            await engine.state.open()
            return await scenario(engine)
        finally:
            database.close()

    return asyncio.run(run())


def test_bridge_host_and_none_are_always_there_and_keep_their_ids(tmp_path: Path) -> None:
    async def ids(engine: Engine) -> dict[str, str]:
        return {network.name: network.id for network in engine.list({})}

    first = with_networks(tmp_path, ids)
    assert sorted(first) == ["bridge", "host", "none"]
    assert with_networks(tmp_path, ids) == first


def test_a_network_survives_the_daemon_with_its_subnet(tmp_path: Path) -> None:
    async def make(engine: Engine) -> str:
        return await engine.create(NetworkCreateRequest(name="blue", labels={"a": "1"}))

    async def look(engine: Engine) -> Any:
        return engine.inspect("blue")

    identifier = with_networks(tmp_path, make)
    shown = with_networks(tmp_path, look)
    assert (shown.id, shown.labels, shown.driver) == (identifier, {"a": "1"}, "bridge")
    assert shown.ipam.config[0].subnet == "172.18.0.0/16"
    assert shown.ipam.config[0].gateway == "172.18.0.1"


def test_a_users_subnet_and_range_are_kept(tmp_path: Path) -> None:
    config = IpamConfig(subnet="10.5.0.0/16", ip_range="10.5.1.0/24", gateway="10.5.0.9")

    async def scenario(engine: Engine) -> Any:
        await engine.create(NetworkCreateRequest(name="blue", ipam=Ipam(config=[config])))
        return engine.inspect("blue").ipam.config

    assert with_networks(tmp_path, scenario) == [config]


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        (NetworkCreateRequest(name=""), InvalidParameter),
        (NetworkCreateRequest(name="a/b"), InvalidParameter),
        (NetworkCreateRequest(name="bridge"), PredefinedNetwork),
        (NetworkCreateRequest(name="x", driver="macvlan"), NotSupported),
        (
            NetworkCreateRequest(name="x", options={"com.docker.network.driver.mtu": "x"}),
            InvalidParameter,
        ),
        (NetworkCreateRequest(name="x", driver="overlay"), Unavailable),
        (NetworkCreateRequest(name="x", driver="nope"), NotFound),
        (NetworkCreateRequest(name="x", config_only=True, internal=True), Forbidden),
        (NetworkCreateRequest(name="x", config_from=ConfigReference("y")), NotFound),
        (NetworkCreateRequest(name="x", enable_ipv4=False), InvalidParameter),
    ],
)
def test_what_cannot_be_created_is_refused_by_kind(
    tmp_path: Path, request_: NetworkCreateRequest, error: type[Exception]
) -> None:
    async def scenario(engine: Engine) -> int:
        with pytest.raises(error):
            await engine.create(request_)
        return len(engine.list({}))

    assert with_networks(tmp_path, scenario) == 3


def test_names_are_taken_once(tmp_path: Path) -> None:
    async def scenario(engine: Engine) -> None:
        await engine.create(NetworkCreateRequest(name="blue"))
        with pytest.raises(NetworkNameInUse):
            await engine.create(NetworkCreateRequest(name="blue"))

    with_networks(tmp_path, scenario)


def test_a_network_with_containers_and_the_predefined_stay(tmp_path: Path) -> None:
    async def scenario(engine: Engine) -> None:
        await engine.create(NetworkCreateRequest(name="blue"))
        engine.attach("blue")
        with pytest.raises(NetworkHasEndpoints, match="has active endpoints"):
            await engine.remove("blue")
        with pytest.raises(PredefinedNetwork, match="host is a pre-defined network"):
            await engine.remove("host")
        with pytest.raises(NoSuchNetwork, match="network green not found"):
            await engine.remove("green")

    with_networks(tmp_path, scenario)


def test_inspect_shows_containers_also_on_host_and_none(tmp_path: Path) -> None:
    async def scenario(engine: Engine) -> Any:
        for name in ("bridge", "host", "none"):
            engine.attach(name)
        shown = {name: engine.inspect(name).containers for name in ("bridge", "host", "none")}
        return {name: found["c" * 64].ipv4_address for name, found in shown.items()}

    assert with_networks(tmp_path, scenario) == {
        "bridge": "172.17.0.2/16", "host": "", "none": "",
    }  # fmt: skip


def test_list_filters_by_kind_name_driver_and_use(tmp_path: Path) -> None:
    async def scenario(engine: Engine) -> Any:
        await engine.create(NetworkCreateRequest(name="blue"))
        filters: list[dict[str, list[str]]] = [
            {"type": ["custom"]}, {"name": ["lu"]}, {"driver": ["null"]},
            {"dangling": ["true"]}, {"scope": ["swarm"]},
        ]  # fmt: skip
        return [[network.name for network in engine.list(wanted)] for wanted in filters]

    assert with_networks(tmp_path, scenario) == [["blue"], ["blue"], ["none"], ["blue"], []]


def test_prune_spares_networks_in_use_or_named_by_stopped_containers_and_settings(
    tmp_path: Path,
) -> None:
    async def scenario(engine: Engine) -> Any:
        for name in ("unused", "used", "named"):
            await engine.create(NetworkCreateRequest(name=name))
        await engine.create(NetworkCreateRequest(name="settings", config_only=True))
        engine.attach("used")
        return await PruneNetworks(engine.state, lambda: {"named"})({})

    assert with_networks(tmp_path, scenario) == ["unused"]


def test_events_tell_of_create_and_destroy(tmp_path: Path) -> None:
    async def scenario(engine: Engine) -> Any:
        subscription = engine.events.subscribe({"type": ["network"]})
        await engine.create(NetworkCreateRequest(name="blue"))
        await engine.remove("blue")
        subscription.close()
        return [(e.action, e.actor.attributes) async for e in subscription]

    attributes = {"name": "blue", "type": "bridge"}
    assert with_networks(tmp_path, scenario) == [("create", attributes), ("destroy", attributes)]


def test_a_network_takes_its_settings_from_a_configuration_which_then_has_to_stay(
    tmp_path: Path,
) -> None:
    config = IpamConfig(subnet="10.5.0.0/16", gateway="10.5.0.9")

    async def scenario(engine: Engine) -> Any:
        await engine.create(
            NetworkCreateRequest(
                name="settings", config_only=True, ipam=Ipam(config=[config]), labels={"a": "1"}
            )
        )
        await engine.create(
            NetworkCreateRequest(name="made", config_from=ConfigReference("settings"))
        )
        with pytest.raises(ConfigurationInUse, match="is in use"):
            await engine.remove("settings")
        with pytest.raises(ConfigurationOnly):
            engine.attach("settings")
        shown = engine.inspect("made")
        await engine.remove("made")
        await engine.remove("settings")
        return shown

    shown = with_networks(tmp_path, scenario)
    assert (shown.ipam.config, shown.labels) == ([config], {"a": "1"})
    assert shown.config_from.network == "settings"


def test_a_network_that_is_removed_while_it_is_made_gets_no_bridge(tmp_path: Path) -> None:
    async def scenario(engine: Engine) -> list[str]:
        wanted = NetworkRecord(id="", name="blue", driver="bridge", created="")
        record = engine.lifecycle.create(wanted)
        await engine.remove("blue")
        with pytest.raises(NoSuchNetwork):
            engine.lifecycle.bring_up(record)
        return [network.name for network in engine.list({})]

    assert "blue" not in with_networks(tmp_path, scenario)
