"""Which network a container leaves through, for each IP version."""

import msgspec
import pytest

from wherry.network.endpoint import Endpoint
from wherry.network.gateways import default_routes, elect
from wherry.network.record import NetworkRecord

RECORDS = {
    "alpha": NetworkRecord("alpha", "alpha", "bridge", ""),
    "beta": NetworkRecord("beta", "beta", "bridge", ""),
    "six": NetworkRecord("six", "six", "bridge", "", enable_ipv6=True),
    "inner": NetworkRecord("inner", "inner", "bridge", "", internal=True),
    "flat": NetworkRecord("flat", "flat", "ipvlan", "", options={"ipvlan_mode": "l3"}),
}


def endpoint(network: str, priority: int = 0, *, ipv6: bool = False) -> Endpoint:
    gateway = "" if network in ("inner", "flat") else f"10.0.0.{len(network)}"
    return Endpoint(
        network, network, f"e-{network}", "c", "box", f"eth-{network}", ipv4="10.0.0.9",
        gateway=gateway, gateway_priority=priority, ipv6="fd00::9" if ipv6 else "",
        ipv6_gateway="fd00::1" if ipv6 else "",
    )  # fmt: skip


def ways(*endpoints: Endpoint) -> tuple[str, str]:
    """Names of the networks of the IPv4 and the IPv6 default route."""
    found = elect(endpoints, RECORDS)
    return (
        "".join(e.network for e in found if e.default_route),
        "".join(e.network for e in found if e.default_route6),
    )


def test_the_first_name_leads_unless_another_has_priority() -> None:
    assert ways(endpoint("beta"), endpoint("alpha")) == ("alpha", "")
    assert ways(endpoint("beta", 1), endpoint("alpha")) == ("beta", "")
    assert ways(endpoint("beta"), endpoint("alpha", -1)) == ("beta", "")


def test_each_version_leaves_where_it_can() -> None:
    assert ways(endpoint("alpha"), endpoint("six", ipv6=True)) == ("alpha", "six")


def test_an_internal_network_is_no_way_out_whatever_its_priority() -> None:
    assert ways(endpoint("inner", 9), endpoint("beta")) == ("beta", "")
    assert ways(endpoint("inner", 9)) == ("", "")


def test_a_pending_endpoint_does_not_lead() -> None:
    going = msgspec.structs.replace(endpoint("alpha"), pending=True)
    assert ways(going, endpoint("beta")) == ("beta", "")


def test_layer_three_ipvlan_leaves_through_its_link() -> None:
    [found] = elect([endpoint("flat")], RECORDS)
    assert [(r.destination, r.gateway) for r in default_routes(found)] == [("0.0.0.0/0", "")]


@pytest.mark.parametrize("ipv6", [False, True])
def test_the_routes_name_the_interface_and_its_gateways(ipv6: bool) -> None:
    [found] = elect([endpoint("six", ipv6=ipv6)], RECORDS)
    routes = {(r.interface, r.destination, r.gateway) for r in default_routes(found)}
    assert ("eth-six", "0.0.0.0/0", "10.0.0.3") in routes
    assert (("eth-six", "::/0", "fd00::1") in routes) is ipv6
