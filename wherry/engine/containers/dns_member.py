"""What the embedded DNS server is told of a container. Pure."""

import ipaddress

from wherry.engine.containers.container import Container
from wherry.engine.containers.endpoint_requests import dns_names, links
from wherry.model.docker.container import EndpointSettings
from wherry.network.dns.messages import Member, Place
from wherry.network.endpoint import Endpoint
from wherry.network.record import NetworkRecord


def resolves_names(record: NetworkRecord) -> bool:
    """Whether containers of a network find each other by name: on every network of a user's."""
    return not record.predefined and record.driver not in ("host", "null")


def member_of(
    container: Container, networks: list[NetworkRecord], host_servers: tuple[str, ...]
) -> Member | None:
    """A running container with its names, None if no network of it has any."""
    record, monitor = container.record, container.monitor
    by_id = {item.id: item for item in networks}
    joined = [
        (endpoint, by_id[endpoint.network])
        for endpoint in record.endpoints
        if endpoint.network in by_id and not endpoint.pending
    ]
    places = tuple(
        _place(container, endpoint) for endpoint, network in joined if resolves_names(network)
    )
    if monitor is None or not places:
        return None
    return Member(
        id=record.id,
        incarnation=f"{monitor.started.pid}:{monitor.started.start_time}",
        places=places,
        servers=_addresses(tuple(record.host.dns or ())),
        host_servers=_addresses(host_servers),
        external=any(not network.internal for _, network in joined),
    )


def _place(container: Container, endpoint: Endpoint) -> Place:
    """A place, under the name that the container has now."""
    sized = (
        (endpoint.ipv4, endpoint.ipv4_prefix),
        (endpoint.ipv6, endpoint.ipv6_prefix),
    )
    settings = EndpointSettings(aliases=list(endpoint.aliases))
    return Place(
        network=endpoint.network,
        network_name=endpoint.network_name,
        names=dns_names(container.record, settings),
        addresses=tuple(address for address, _ in sized if address),
        subnets=tuple(
            str(ipaddress.ip_network(f"{address}/{prefix}", strict=False))
            for address, prefix in sized
            if address
        ),
        links={**_links(container, endpoint), **endpoint.links},
    )


def _links(container: Container, endpoint: Endpoint) -> dict[str, str]:
    """Those of `--link`, which are about the network that the container was created on."""
    host = container.record.host
    if host.network_mode not in (endpoint.network_name, endpoint.network):
        return {}
    return links(EndpointSettings(links=host.links))


def _addresses(servers: tuple[str, ...]) -> tuple[str, ...]:
    """Only what can be sent to: a name here would have to be resolved first."""
    found = []
    for server in servers:
        try:
            ipaddress.ip_address(server)
        except ValueError:
            continue
        found.append(server)
    return tuple(found)
