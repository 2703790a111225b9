"""Where a registry answers: mirrors first, HTTPS before HTTP, HTTP only where allowed."""

import ipaddress
from collections.abc import Sequence
from typing import NamedTuple

from wherry.base.live_settings import LiveSettings
from wherry.model.reference import DEFAULT_DOMAIN

_DOCKER_HUB = "registry-1.docker.io"


class Endpoint(NamedTuple):
    """A base such as https://host:port, whether its certificate counts, whether it is a mirror."""

    base: str
    verify: bool = True
    mirror: bool = False


class RegistrySettings(LiveSettings):
    """The daemon's options: mirrors of the default registry, registries without verified TLS.

    `downloads` is how many layers one pull fetches at once; proxies are URLs.
    """

    mirrors: tuple[str, ...] = ()
    insecure: tuple[str, ...] = ()
    downloads: int = 3
    http_proxy: str = ""
    https_proxy: str = ""
    no_proxy: str = ""


def endpoints(domain: str, settings: RegistrySettings) -> list[Endpoint]:
    """The endpoints of a registry in the order in which they are tried."""
    if domain == DEFAULT_DOMAIN:
        found = [Endpoint(url.rstrip("/"), mirror=True) for url in settings.mirrors]
        return [*found, Endpoint(f"https://{_DOCKER_HUB}")]
    if is_insecure(domain, settings.insecure):
        return [Endpoint(f"https://{domain}", verify=False), Endpoint(f"http://{domain}")]
    return [Endpoint(f"https://{domain}")]


def is_insecure(domain: str, listed: Sequence[str]) -> bool:
    """Whether a registry may be reached without verified TLS: on loopback, or as listed."""
    host = domain.rpartition(":")[0] if domain.rpartition(":")[2].isdecimal() else domain
    host = host.strip("[]")
    if host == "localhost" or domain in listed or host in listed:
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    if address.is_loopback:
        return True
    for entry in listed:
        try:
            if address in ipaddress.ip_network(entry):
                return True
        except ValueError:
            continue  # a name, compared above
    return False
