"""Making a network."""

from wherry.base.errors import InvalidParameter, NotFound, Unavailable
from wherry.engine.networks.state import NetworkState
from wherry.model.docker.network import IpamConfig, NetworkCreateRequest
from wherry.network import driver_options as opt
from wherry.network.record import NetworkRecord, Subnet

DRIVERS = frozenset({"bridge", "macvlan", "ipvlan"})
"""Drivers of which users make networks."""


class CreateNetwork:
    """Creates user networks."""

    def __init__(self, state: NetworkState) -> None:
        """`state` makes and stores them."""
        self._state = state

    async def __call__(self, request: NetworkCreateRequest) -> str:
        """The id of the new network.

        Raises NetworkNameInUse, PredefinedNetwork, PoolOverlaps, BadAddress, NotSupported and
        NetworkUnavailable.
        """
        _check(request)
        ipam, options = request.ipam, request.options or {}
        wanted = NetworkRecord(
            id="",
            name=request.name,
            driver=request.driver or "bridge",
            created="",
            subnets=tuple(_subnet(entry) for entry in (ipam and ipam.config) or ()),
            internal=bool(request.internal),
            attachable=bool(request.attachable),
            enable_ipv4=_enabled(request.enable_ipv4, options, opt.ENABLE_IPV4, default=True),
            enable_ipv6=_enabled(request.enable_ipv6, options, opt.ENABLE_IPV6, default=False),
            ipam_options=ipam.options if ipam else None,
            options=options,
            labels=request.labels or {},
            config_only=bool(request.config_only),
            config_from=(request.config_from and request.config_from.network) or "",
        )
        if not wanted.enable_ipv4 and not wanted.enable_ipv6:
            raise InvalidParameter("IPv4 or IPv6 must be enabled")
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
    if driver in ("host", "null"):
        raise InvalidParameter(f'only one instance of "{driver}" network is allowed')
    if driver not in DRIVERS:
        raise NotFound(f'plugin "{driver}" not found')
    if request.ipam and request.ipam.driver not in (None, "", "default"):
        raise NotFound(f'could not find IPAM driver: plugin "{request.ipam.driver}" not found')


def _enabled(
    asked: bool | None, options: dict[str, str], key: str, *, default: bool
) -> bool:  # fmt: skip
    """A field of the request, or the driver option that stands for it."""
    return opt.flag(options, key, default=default) if asked is None else asked


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
