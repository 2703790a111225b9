"""What a container's inspect says of its networks, out of what the network room gave."""

from collections.abc import Iterable, Mapping

import msgspec

from wherry.model.docker.container import EndpointSettings, PortBinding
from wherry.network.endpoint import Endpoint


def endpoint_settings(
    asked: Mapping[str, EndpointSettings], endpoints: Iterable[Endpoint]
) -> dict[str, EndpointSettings]:
    """`NetworkSettings.Networks`: what was asked for, completed by what a running container has.

    Without endpoints (a stopped container) only the ids of networks and the wishes remain.
    """
    shown = dict(asked)
    for endpoint in endpoints:
        name = endpoint.network_name
        shown[name] = msgspec.structs.replace(
            shown.get(name, EndpointSettings()),
            mac_address=endpoint.mac,
            network_id=endpoint.network,
            endpoint_id=endpoint.endpoint_id,
            gateway=endpoint.gateway,
            ip_address=endpoint.ipv4,
            ip_prefix_len=endpoint.ipv4_prefix,
            ipv6_gateway=endpoint.ipv6_gateway,
            global_ipv6_address=endpoint.ipv6,
            global_ipv6_prefix_len=endpoint.ipv6_prefix,
        )
    return shown


def port_map(
    exposed: Iterable[str], endpoints: Iterable[Endpoint]
) -> dict[str, list[PortBinding] | None]:
    """`NetworkSettings.Ports`: each exposed port (`80/tcp`) with its bindings, null for none."""
    ports: dict[str, list[PortBinding] | None] = dict.fromkeys(sorted(exposed))
    for endpoint in endpoints:
        for port in endpoint.ports:
            key = f"{port.container_port}/{port.protocol}"
            bindings = ports.get(key) or []
            bindings.append(PortBinding(host_ip=port.host_ip, host_port=str(port.host_port)))
            ports[key] = bindings
    return ports
