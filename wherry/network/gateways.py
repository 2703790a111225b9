"""Which of a container's endpoints gives it its way out, for each IP version. Pure."""

from collections.abc import Mapping, Sequence

import msgspec

from wherry.model.interface import DefaultRoute, Route
from wherry.network.endpoint import Endpoint
from wherry.network.record import NetworkRecord

EVERYWHERE = {4: "0.0.0.0/0", 6: "::/0"}


def elect(
    endpoints: Sequence[Endpoint], records: Mapping[str, NetworkRecord]
) -> tuple[Endpoint, ...]:
    """The endpoints with their default routes marked.

    The highest priority wins, then the network whose name comes first; IPv4 and IPv6 may leave
    through different networks. `records` are by id; networks that are internal are no way out.
    """
    order = sorted(
        (e for e in endpoints if not e.pending),
        key=lambda e: (-e.gateway_priority, e.network_name),
    )
    first4 = next((e for e in order if _leads_out(e, records, 4)), None)
    first6 = next((e for e in order if _leads_out(e, records, 6)), None)
    return tuple(
        msgspec.structs.replace(e, default_route=e is first4, default_route6=e is first6)
        for e in endpoints
    )


def default_routes(endpoint: Endpoint) -> tuple[DefaultRoute, ...]:
    """The default routes that an elected endpoint gives its container."""
    found = []
    if endpoint.default_route:
        found.append(DefaultRoute(endpoint.interface, EVERYWHERE[4], endpoint.gateway))
    if endpoint.default_route6:
        found.append(DefaultRoute(endpoint.interface, EVERYWHERE[6], endpoint.ipv6_gateway))
    return tuple(found)


def routes(endpoint: Endpoint) -> tuple[Route, ...]:
    """The same, for an interface that is made with them."""
    return tuple(Route(route.destination, route.gateway) for route in default_routes(endpoint))


def _leads_out(endpoint: Endpoint, records: Mapping[str, NetworkRecord], version: int) -> bool:
    record = records.get(endpoint.network)
    if record is None or record.internal:
        return False
    address, gateway = (
        (endpoint.ipv4, endpoint.gateway) if version == 4
        else (endpoint.ipv6, endpoint.ipv6_gateway)
    )  # fmt: skip
    return bool(address) and (bool(gateway) or record.routes_by_link)
