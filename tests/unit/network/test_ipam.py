"""Subnets that clash with nothing, and addresses that are given once."""

import pytest

from wherry.network.errors import AddressInUse, BadAddress, NoAddresses, NoSubnets
from wherry.network.ipam import DEFAULT_POOLS, AddressSpace, Pool, choose_subnet, mac_of


def test_the_first_subnet_is_dockers() -> None:
    assert str(choose_subnet(DEFAULT_POOLS, [])) == "172.17.0.0/16"


def test_subnets_of_networks_and_routes_are_passed_over_but_not_the_default_route() -> None:
    taken = ["0.0.0.0/0", "172.17.0.0/16", "172.18.5.0/24", "::/0", "fd00::/8"]
    assert str(choose_subnet(DEFAULT_POOLS, taken)) == "172.19.0.0/16"


def test_a_route_over_all_of_a_pool_leads_to_the_next_pool() -> None:
    assert str(choose_subnet(DEFAULT_POOLS, ["172.16.0.0/12"])) == "192.168.0.0/20"


def test_blocks_of_a_pool_follow_each_other() -> None:
    pools = [Pool("10.0.0.0/8", 24)]
    assert str(choose_subnet(pools, ["10.0.0.0/24", "10.0.1.0/25"])) == "10.0.2.0/24"


def test_a_large_pool_behind_a_large_route_is_chosen_from_at_once() -> None:
    pools = [Pool("fd00::/8", 64)]
    assert str(choose_subnet(pools, ["fd00::/9"])) == "fd80::/64"


def test_used_up_pools_say_so_in_dockers_words() -> None:
    with pytest.raises(NoSubnets, match="all predefined address pools have been fully subnetted"):
        choose_subnet([Pool("10.0.0.0/24", 24)], ["10.0.0.0/16"])


def test_a_pool_with_blocks_larger_than_itself_is_refused() -> None:
    with pytest.raises(BadAddress, match="holds no /16 block"):
        choose_subnet([Pool("10.0.0.0/24", 16)], [])


def test_addresses_are_given_in_order_without_network_gateway_and_broadcast() -> None:
    space = AddressSpace("10.0.0.0/29", reserved=["10.0.0.1"])
    assert [space.choose() for _ in range(5)] == [f"10.0.0.{n}" for n in range(2, 7)]
    with pytest.raises(NoAddresses):
        space.choose()


def test_a_freed_address_is_not_given_again_at_once() -> None:
    space = AddressSpace("10.0.0.0/29", reserved=["10.0.0.1"])
    first = space.choose()
    space.free(first)
    assert space.choose() == "10.0.0.3"


def test_a_range_limits_choice_and_not_static_addresses() -> None:
    space = AddressSpace("10.0.0.0/24", address_range="10.0.0.128/30", reserved=["10.0.0.1"])
    assert space.choose() == "10.0.0.128"
    assert space.reserve("10.0.0.9") == "10.0.0.9"


def test_a_static_address_is_given_once_and_only_from_the_subnet() -> None:
    space = AddressSpace("10.0.0.0/24")
    space.reserve("10.0.0.9")
    with pytest.raises(AddressInUse, match="Address already in use"):
        space.reserve("10.0.0.9")
    for bad in ("10.0.1.9", "fd00::1", "nonsense"):
        with pytest.raises(BadAddress):
            space.reserve(bad)


def test_ipv6_subnets_work_alike() -> None:
    space = AddressSpace("fd00::/64", reserved=["fd00::1"])
    assert [space.choose(), space.choose()] == ["fd00::2", "fd00::3"]


def test_a_range_outside_of_its_subnet_is_refused() -> None:
    with pytest.raises(BadAddress):
        AddressSpace("10.0.0.0/24", address_range="10.0.1.0/28")


def test_hardware_addresses_follow_the_address_as_dockers() -> None:
    assert mac_of("172.17.0.2") == "02:42:ac:11:00:02"
