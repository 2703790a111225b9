"""Descriptions of networks are checked where they come in."""

import pytest

from wherry.base.errors import InvalidParameter
from wherry.network.catalog import NetworkCatalog
from wherry.network.driver_options import BRIDGE_NAME, ICC, MTU, check_options
from wherry.network.errors import BadAddress, NetworkNameInUse, NoSuchNetwork, PoolOverlaps
from wherry.network.ipam import DEFAULT_POOLS
from wherry.network.record import (
    NetworkRecord,
    Subnet,
    check_name,
    check_subnet,
)


def record(name: str, subnet: str, identifier: str) -> NetworkRecord:
    """A bridge network."""
    return NetworkRecord(identifier, name, "bridge", "", (check_subnet(Subnet(subnet)),))


def test_a_subnet_gets_its_first_address_as_gateway() -> None:
    assert check_subnet(Subnet("10.1.0.0/24")).gateway == "10.1.0.1"
    assert check_subnet(Subnet("fd00:1::/64")).gateway == "fd00:1::1"
    assert check_subnet(Subnet("10.1.0.0/24", "10.1.0.254")).gateway == "10.1.0.254"


@pytest.mark.parametrize(
    "bad",
    [
        Subnet("10.1.0.5/24"),
        Subnet("10.1.0.0"),
        Subnet("nonsense"),
        Subnet("0.0.0.0/0"),
        Subnet("127.0.0.0/8"),
        Subnet("ff00::/8"),
        Subnet("10.1.0.0/24", "10.2.0.1"),
        Subnet("10.1.0.0/24", "", "10.2.0.0/28"),
        Subnet("10.1.0.0/24", auxiliary={"a": "10.2.0.1"}),
    ],
)
def test_subnets_that_contradict_themselves_are_refused(bad: Subnet) -> None:
    with pytest.raises(BadAddress):
        check_subnet(bad)


@pytest.mark.parametrize("good", ["a", "-x", "a b", "ü"])
def test_names_may_be_what_docker_takes(good: str) -> None:
    assert check_name(good) == good


@pytest.mark.parametrize("bad", ["", " ", "a/b", "a\nb", "a\0"])
def test_bad_names_are_refused(bad: str) -> None:
    with pytest.raises(InvalidParameter):
        check_name(bad)


@pytest.mark.parametrize(
    "bad", [{ICC: "perhaps"}, {MTU: "-1"}, {MTU: "x"}, {BRIDGE_NAME: "a" * 16}, {BRIDGE_NAME: '"'}]
)
def test_bad_driver_options_are_refused(bad: dict[str, str]) -> None:
    with pytest.raises(InvalidParameter):
        check_options("bridge", bad)


def test_networks_are_found_by_name_id_and_unique_beginning() -> None:
    catalog = NetworkCatalog(DEFAULT_POOLS, list)
    catalog.add(record("blue", "10.1.0.0/24", "aa11"))
    catalog.add(record("red", "10.2.0.0/24", "aa22"))
    assert {catalog.get(r).name for r in ("blue", "aa11", "aa1")} == {"blue"}
    with pytest.raises(InvalidParameter, match="ambiguous"):
        catalog.get("aa")
    for unknown in ("green", ""):
        with pytest.raises(NoSuchNetwork):
            catalog.get(unknown)


def test_a_name_or_subnet_in_use_is_refused() -> None:
    catalog = NetworkCatalog(DEFAULT_POOLS, lambda: ["172.17.0.0/24"])
    catalog.add(record("blue", "10.1.0.0/24", "aa11"))
    with pytest.raises(NetworkNameInUse, match="network with name blue already exists"):
        catalog.add(record("blue", "10.9.0.0/24", "bb"))
    with pytest.raises(PoolOverlaps):
        catalog.add(record("red", "10.1.0.128/25", "cc"))
    assert catalog.choose_subnet().subnet == "172.18.0.0/16"
