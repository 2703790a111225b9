"""Values that pass between the network room and whoever starts containers.

The life of a container's network: `Attachments.prepare` before its start, with one
`EndpointRequest` for each network; the `Interface` values go to the runtime, the `Endpoint` values
into the container's record; `Attachments.add` and `Attachments.take` while it runs;
`Attachments.release` takes the endpoints back at its end, and `Attachments.restore` after a restart
of the daemon, for every container that still runs.
"""

import msgspec

from wherry.model.interface import Interface, LinkChange


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
    """A published port as it is: `host_ip` is "0.0.0.0", "::" or one address of the host.

    `host_port` 0: the network is routed, and the container's own port is open to the outside.
    """

    container_port: int
    protocol: str
    host_ip: str
    host_port: int


class EndpointRequest(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a container wants of one network; empty fields are chosen by the network room.

    `network` is a network's id; `ipv4`, `ipv6` and `link_local` are addresses the user asked for.
    `names`, `aliases` and `links` are kept on the endpoint; `options` are the endpoint's driver
    options.
    """

    container_id: str
    container_name: str
    network: str
    endpoint_id: str = ""
    ipv4: str = ""
    ipv6: str = ""
    link_local: tuple[str, ...] = ()
    mac: str = ""
    gateway_priority: int = 0
    aliases: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    links: dict[str, str] = {}
    options: dict[str, str] = {}


class Endpoint(msgspec.Struct, frozen=True, omit_defaults=True):
    """One container's place on one network, complete: what a record keeps and inspect shows.

    Addresses are without prefix length, empty where the network has none of the family.
    `default_route` marks the endpoint whose IPv4 gateway is the container's, `default_route6` the
    one whose IPv6 gateway is. `names` are all that resolve to it for others on the network (the
    container's name, its aliases, short id, host name), `links` are names that this container alone
    knows, each with the name of the container it stands for. `pending` marks one that is being
    connected to or disconnected from a running container: whoever finds it undoes it.
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
    default_route6: bool = False
    link_local: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    links: dict[str, str] = {}
    pending: bool = False
    ports: tuple[PublishedPort, ...] = ()


class Prepared(msgspec.Struct, frozen=True):
    """What `prepare` made: interfaces for the runtime, and an endpoint for each request, in order.

    Endpoints on `host` and `none` have no interface.
    """

    interfaces: tuple[Interface, ...]
    endpoints: tuple[Endpoint, ...]


class Changed(msgspec.Struct, frozen=True):
    """What connecting or disconnecting a running container comes to.

    `endpoints` are all that it has now, `link` is the runtime's to carry out.
    """

    endpoints: tuple[Endpoint, ...]
    link: LinkChange
