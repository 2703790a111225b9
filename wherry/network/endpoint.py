"""Values that pass between the network room and whoever starts containers.

The life of a container's network: `Attachments.prepare` before its start, with one
`EndpointRequest` for each network; the `Interface` values go to the runtime, the `Endpoint` values
into the container's record; `Attachments.release` takes the endpoints back at its end, and
`Attachments.restore` after a restart of the daemon, for every container that still runs.
"""

import msgspec

from wherry.model.interface import Interface


class PortRequest(msgspec.Struct, frozen=True, omit_defaults=True):
    """A container's port to publish; `host_port` 0 lets the engine choose.

    With `host_port_end` above `host_port` one free port of that range is chosen, as Docker does
    for `-p 8000-8010:80`. An empty `host_ip` means every address, IPv4 and IPv6.
    """

    container_port: int
    protocol: str = "tcp"
    host_ip: str = ""
    host_port: int = 0
    host_port_end: int = 0


class PublishedPort(msgspec.Struct, frozen=True, omit_defaults=True):
    """A published port as it is: `host_ip` is "0.0.0.0", "::" or one address of the host."""

    container_port: int
    protocol: str
    host_ip: str
    host_port: int


class EndpointRequest(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a container wants of one network; empty fields are chosen by the network room.

    `network` is a network's id. `static` addresses (`ipv4`, `ipv6`) are those the user asked for.
    `interface` is the name inside the container, empty for eth0, eth1, ... in order. Ports are
    published through the endpoint that holds the default route, whichever request carries them.
    """

    container_id: str
    container_name: str
    network: str
    interface: str = ""
    endpoint_id: str = ""
    ipv4: str = ""
    ipv6: str = ""
    mac: str = ""
    gateway_priority: int = 0
    aliases: tuple[str, ...] = ()
    sysctls: dict[str, str] = {}
    ports: tuple[PortRequest, ...] = ()


class Endpoint(msgspec.Struct, frozen=True, omit_defaults=True):
    """One container's place on one network, complete: what a record keeps and inspect shows.

    Addresses are without prefix length, empty where the network has none of the family.
    `default_route` marks the endpoint whose gateway is the container's.
    """

    network: str
    network_name: str
    endpoint_id: str
    container_id: str
    container_name: str
    interface: str
    host_interface: str = ""
    mac: str = ""
    ipv4: str = ""
    ipv4_prefix: int = 0
    gateway: str = ""
    ipv6: str = ""
    ipv6_prefix: int = 0
    ipv6_gateway: str = ""
    gateway_priority: int = 0
    default_route: bool = False
    aliases: tuple[str, ...] = ()
    ports: tuple[PublishedPort, ...] = ()


class Prepared(msgspec.Struct, frozen=True):
    """What `prepare` made: interfaces for the runtime, and an endpoint for each request, in order.

    Endpoints on `host` and `none` have no interface.
    """

    interfaces: tuple[Interface, ...]
    endpoints: tuple[Endpoint, ...]
