"""Which networks a new container is to be on, out of the three places that say so. Pure."""

from collections.abc import Callable, Sequence

import msgspec

from wherry.base.errors import InvalidParameter
from wherry.engine.networks.endpoint_checks import check_endpoint
from wherry.model.docker.container import (
    ContainerConfig,
    CreateRequest,
    EndpointSettings,
    HostConfig,
)


def asked_networks(
    request: CreateRequest, host: HostConfig, config: ContainerConfig,
    name_of: Callable[[str], str], subnets_of: Callable[[str], Sequence[str]],
) -> dict[str, EndpointSettings]:  # fmt: skip
    """Settings by network, that of the network mode first.

    `name_of` gives a network's name for a name or id, and what it does not know as it is: that is
    found missing at the start. `subnets_of` gives a network's subnets.

    Raises InvalidParameter in dockerd's words.
    """
    mode = host.network_mode
    given = (request.networking_config.endpoints_config if request.networking_config else {}) or {}
    if mode.startswith("container:"):
        return {}
    if config.network_disabled:
        mode = "none"
    primary = "bridge" if mode == "default" else name_of(mode)
    found = {_named(key, name_of): value or EndpointSettings() for key, value in given.items()}
    if primary not in found and (not found or mode != "default"):
        found[primary] = EndpointSettings(mac_address=config.mac_address)
    for name, settings in found.items():
        try:
            check_endpoint(name, settings, subnets_of(name))
        except InvalidParameter as error:
            raise InvalidParameter(f"invalid config for network {name}: {error.message}") from None
    if primary in found:
        found = {primary: found[primary], **found}
    return {name: wishes(settings) for name, settings in found.items()}


def _named(key: str, name_of: Callable[[str], str]) -> str:
    return "bridge" if key == "default" else name_of(key)


def wishes(settings: EndpointSettings) -> EndpointSettings:
    """Without what only a running container has, which clients send back from an inspect."""
    return msgspec.structs.replace(
        settings, network_id="", endpoint_id="", gateway="", ip_address="", ip_prefix_len=0,
        ipv6_gateway="", global_ipv6_address="", global_ipv6_prefix_len=0, dns_names=None,
    )  # fmt: skip
