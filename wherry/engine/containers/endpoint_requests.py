"""What a container's record asks of the network room: endpoints and published ports. Pure."""

from wherry.base.errors import InvalidParameter
from wherry.base.ids import short_id
from wherry.engine.containers.container import Record
from wherry.model.docker.container import EndpointSettings, PortBinding
from wherry.network.endpoint import EndpointRequest, PortRequest
from wherry.network.record import NetworkRecord


def endpoint_request(
    record: Record, network: NetworkRecord, settings: EndpointSettings
) -> EndpointRequest:
    """A container's wishes for one network."""
    ipam = settings.ipam_config
    own_mac = record.config.mac_address if _is_primary(record, network) else ""
    return EndpointRequest(
        container_id=record.id,
        container_name=record.name,
        network=network.id,
        ipv4=ipam.ipv4_address if ipam else "",
        ipv6=ipam.ipv6_address if ipam else "",
        link_local=tuple((ipam.link_local_ips if ipam else None) or ()),
        mac=settings.mac_address or own_mac,
        gateway_priority=settings.gw_priority,
        aliases=tuple(settings.aliases or ()),
        names=() if network.predefined else dns_names(record, settings),
        links=links(settings),
        options=settings.driver_opts or {},
    )


def dns_names(record: Record, settings: EndpointSettings) -> tuple[str, ...]:
    """All names of a container on a network of a user's."""
    names = (record.name, *(settings.aliases or ()), short_id(record.id), record.config.hostname)
    return tuple(dict.fromkeys(filter(None, names)))


def links(settings: EndpointSettings) -> dict[str, str]:
    """Names that the container alone knows on a network, by which containers they stand for."""
    found = {}
    for word in settings.links or ():
        target, _, alias = word.partition(":")
        found[alias or target] = target
    return found


def port_requests(record: Record) -> list[PortRequest]:
    """The ports that a container wants published."""
    host, config = record.host, record.config
    found: list[PortRequest] = []
    for port, bindings in (host.port_bindings or {}).items():
        number, _, protocol = port.partition("/")
        for binding in bindings or [PortBinding()]:
            first, last = _port_range(binding.host_port)
            found.append(PortRequest(int(number), protocol or "tcp", binding.host_ip, first, last))
    if host.publish_all_ports:
        bound = {port if "/" in port else f"{port}/tcp" for port in host.port_bindings or ()}
        for port in config.exposed_ports or ():
            number, _, protocol = port.partition("/")
            if f"{number}/{protocol or 'tcp'}" not in bound:
                found.append(PortRequest(int(number), protocol or "tcp"))
    return found


def _is_primary(record: Record, network: NetworkRecord) -> bool:
    mode = record.host.network_mode
    return network.name == "bridge" if mode == "default" else mode in (network.name, network.id)


def _port_range(text: str) -> tuple[int, int]:
    """First and last of a host port or range; zeros for any."""
    if not text:
        return 0, 0
    first, _, last = text.partition("-")
    if not first.isdecimal() or (last and not last.isdecimal()) or int(last or first) > 65535:
        raise InvalidParameter(f"invalid port specification: {text!r}".replace("'", '"'))
    return int(first), int(last or 0)
