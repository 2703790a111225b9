"""Making a network."""

from wherry.base.errors import InvalidParameter, NotFound, NotSupported, Unavailable
from wherry.engine.networks.state import NetworkState
from wherry.model.docker.network import IpamConfig, NetworkCreateRequest
from wherry.network.record import NetworkRecord, Subnet

KNOWN_DRIVERS = frozenset({"macvlan", "ipvlan"})
"""Drivers of Docker's that this engine names but does not have."""


class CreateNetwork:
    """Creates user networks of driver bridge."""

    def __init__(self, state: NetworkState) -> None:
        """`state` makes and stores them."""
        self._state = state

    async def __call__(self, request: NetworkCreateRequest) -> str:
        """The id of the new network.

        Raises NetworkNameInUse, PredefinedNetwork, PoolOverlaps, BadAddress, NotSupported and
        NetworkUnavailable.
        """
        _check(request)
        ipam = request.ipam
        wanted = NetworkRecord(
            id="",
            name=request.name,
            driver="bridge",
            created="",
            subnets=tuple(_subnet(entry) for entry in (ipam and ipam.config) or ()),
            internal=bool(request.internal),
            attachable=bool(request.attachable),
            enable_ipv4=request.enable_ipv4 is not False,
            enable_ipv6=bool(request.enable_ipv6),
            ipam_options=(ipam.options or {}) if ipam else {},
            options=request.options or {},
            labels=request.labels or {},
        )
        return (await self._state.create(wanted)).id


def _check(request: NetworkCreateRequest) -> None:
    if not request.name:
        raise InvalidParameter("network name must not be empty")
    driver = request.driver or "bridge"
    if request.ingress or driver == "overlay" or request.scope == "swarm":
        raise Unavailable(
            'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" '
            "to connect this node to swarm and try again."
        )
    if request.config_only or (request.config_from and request.config_from.network):
        raise NotSupported("configuration-only networks are not supported")
    if driver in KNOWN_DRIVERS:
        raise NotSupported(f"network driver {driver} is not supported: use driver bridge")
    if driver in ("host", "null"):
        raise InvalidParameter(f'only one instance of "{driver}" network is allowed')
    if driver != "bridge":
        raise NotFound(
            f'could not find plugin {driver} in v1 plugin registry: plugin "{driver}" not found'
        )
    if request.enable_ipv4 is False and not request.enable_ipv6:
        raise InvalidParameter("IPv4 or IPv6 must be enabled")
    if request.ipam and request.ipam.driver not in (None, "", "default"):
        raise NotFound(f'could not find IPAM driver: plugin "{request.ipam.driver}" not found')


def _subnet(config: IpamConfig) -> Subnet:
    if not config.subnet:
        raise InvalidParameter(
            "invalid network config: an IPAM configuration without a subnet is not supported"
        )
    return Subnet(
        config.subnet,
        config.gateway or "",
        config.ip_range or "",
        config.auxiliary_addresses or {},
    )
