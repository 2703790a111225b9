"""The default bridge under dockerd's options, in a network namespace that the test makes."""

import os
from collections.abc import Iterator

import pytest

from tests.support.netns import NetworkNamespace, configure
from wherry.base.errors import InvalidParameter
from wherry.linux.netlink.route import Netlink
from wherry.model.interface import Interface
from wherry.network.bridges import Bridges, host_routes
from wherry.network.catalog import NetworkCatalog
from wherry.network.errors import NetworkUnavailable, NoSuchNetwork
from wherry.network.firewall import Firewall
from wherry.network.foreign import ForeignFirewalls
from wherry.network.ipam import DEFAULT_POOLS
from wherry.network.lifecycle import BridgeSettings, NetworkLifecycle
from wherry.network.record import NetworkRecord

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to make network namespaces")


@pytest.fixture
def host() -> Iterator[NetworkNamespace]:
    namespace = NetworkNamespace()
    yield namespace
    namespace.close()


def start(
    host: NetworkNamespace, settings: BridgeSettings, stored: list[NetworkRecord] | None = None
) -> tuple[NetworkCatalog, NetworkLifecycle, Bridges]:
    """A network room without firewall, opened in the namespace."""
    firewall = Firewall("wherry-test", enabled=False)
    bridges = Bridges(firewall, ForeignFirewalls(firewall, "wherry-test"), ip_forward=False)
    catalog = NetworkCatalog(DEFAULT_POOLS, host_routes)
    lifecycle = NetworkLifecycle(catalog, bridges, firewall, settings)
    host.run(lifecycle.open, stored or [])
    host.run(lifecycle.settle)
    return catalog, lifecycle, bridges


def addresses(name: str) -> list[str] | None:
    """IPv4 addresses of a link of the caller's namespace, None without the link."""
    with Netlink() as netlink:
        link = netlink.link(name)
        if link is None:
            return None
        return [text for _, text in netlink.addresses(link.ifindex) if ":" not in text]


def add_bridge(name: str) -> None:
    """Makes a bridge in the caller's namespace."""
    with Netlink() as netlink:
        netlink.add_bridge(name)


def test_bip_gives_the_bridge_its_address_and_fixed_cidr_the_range(host: NetworkNamespace) -> None:
    settings = BridgeSettings(name="wherry0", bip="10.9.0.5/24", fixed_cidr="10.9.0.64/26")
    catalog, lifecycle, _ = start(host, settings)
    subnet = catalog.get("bridge").subnets[0]
    assert (subnet.subnet, subnet.gateway) == ("10.9.0.0/24", "10.9.0.5")
    assert host.run(addresses, "wherry0") == ["10.9.0.5/24"]
    space = catalog.space(catalog.get("bridge").id, 4)
    assert space is not None
    assert space.choose() == "10.9.0.64"
    host.run(lifecycle.close)
    assert host.run(addresses, "wherry0") is None


def test_a_bridge_of_the_users_is_used_as_it_is_and_stays(host: NetworkNamespace) -> None:
    host.run(add_bridge, "lan0")
    host.run(configure, Interface(name="lan0", addresses=("10.8.0.1/24",)))
    catalog, lifecycle, _ = start(host, BridgeSettings(name="wherry0", bridge="lan0"))
    assert catalog.get("bridge").subnets[0].gateway == "10.8.0.1"
    host.run(lifecycle.close)
    assert host.run(addresses, "lan0") == ["10.8.0.1/24"]
    assert host.run(addresses, "wherry0") is None


def test_a_users_bridge_that_is_not_there_is_named(host: NetworkNamespace) -> None:
    with pytest.raises(InvalidParameter, match="bridge lan0 given with --bridge does not exist"):
        start(host, BridgeSettings(name="wherry0", bridge="lan0"))


def test_without_a_bridge_there_is_no_default_network(host: NetworkNamespace) -> None:
    catalog, _, _ = start(host, BridgeSettings(name="wherry0", bridge="none"))
    assert sorted(record.name for record in catalog.records()) == ["host", "none"]
    with pytest.raises(NoSuchNetwork):
        catalog.get("bridge")


def test_the_subnet_of_last_time_stays_unless_the_host_took_it_since(
    host: NetworkNamespace,
) -> None:
    host.run(add_bridge, "vpn0")
    host.run(configure, Interface(name="vpn0", addresses=("172.17.0.9/16",)))
    catalog, lifecycle, _ = start(host, BridgeSettings(name="wherry0"))
    first = catalog.records()
    host.run(lifecycle.close)
    catalog, lifecycle, _ = start(host, BridgeSettings(name="wherry0"), first)
    assert catalog.get("bridge") == next(r for r in first if r.name == "bridge")
    host.run(lifecycle.close)
    host.run(configure, Interface(name="vpn0", addresses=("172.18.0.9/16",)))
    catalog, lifecycle, _ = start(host, BridgeSettings(name="wherry0"), first)
    assert catalog.get("bridge").subnets[0].subnet == "172.19.0.0/16"
    host.run(lifecycle.close)


def test_a_link_of_another_kind_in_the_way_is_one_warning(host: NetworkNamespace) -> None:
    host.run(add_dummy, "wherry0")
    catalog, _, bridges = start(host, BridgeSettings(name="wherry0", bip="10.9.0.1/24"))
    assert len(bridges.warnings) == 1
    assert "wherry0 exists and is no bridge" in bridges.warnings[0]
    with pytest.raises(NetworkUnavailable):
        host.run(bridges.ensure, catalog.get("bridge"))


def add_dummy(name: str) -> None:
    """Makes a link that is no bridge in the caller's namespace."""
    with Netlink() as netlink:
        netlink.add_veth(name, f"{name}p")


@pytest.mark.parametrize("bip", ["10.9.0.0/24", "10.9.0.1/32", "nonsense"])
def test_a_bip_that_no_host_can_have_is_refused(host: NetworkNamespace, bip: str) -> None:
    with pytest.raises(InvalidParameter):
        start(host, BridgeSettings(name="wherry0", bip=bip))
