"""Where a registry answers: mirrors first, HTTPS before HTTP, HTTP only where allowed."""

import ipaddress
from collections.abc import Sequence

import msgspec

from wherry.base.live_settings import LiveSettings
from wherry.model.reference import DEFAULT_DOMAIN

DOCKER_HUB = "registry-1.docker.io"
PULL, RESOLVE, PUSH = "pull", "resolve", "push"
ALL = frozenset({PULL, RESOLVE, PUSH})


class Trust(msgspec.Struct, frozen=True):
    """Whether a certificate counts, whose signature does besides the system's, and our own."""

    verify: bool = True
    authorities: tuple[str, ...] = ()
    clients: tuple[tuple[str, str], ...] = ()


class Endpoint(msgspec.Struct, frozen=True):
    """A base such as https://host:port, and how to speak to it.

    `api` is the path of the API. A `mirror` may fail without harm and gets no credentials;
    `namespace` tells it whose content is wanted; a connection may take `dial_seconds`.
    """

    base: str
    trust: Trust = Trust()
    mirror: bool = False
    api: str = "/v2"
    capabilities: frozenset[str] = ALL
    headers: tuple[tuple[str, str], ...] = ()
    namespace: str = ""
    dial_seconds: float = 15


class RegistrySettings(LiveSettings):
    """The daemon's options: mirrors of the default registry, registries without verified TLS.

    `directories` hold a directory for each registry, with certificates or a hosts.toml.
    `downloads` and `uploads` are how many layers one pull or push moves at once,
    `attempts` how often a download begins; proxies are URLs.
    """

    mirrors: tuple[str, ...] = ()
    insecure: tuple[str, ...] = ()
    downloads: int = 3
    uploads: int = 5
    attempts: int = 5
    http_proxy: str = ""
    https_proxy: str = ""
    no_proxy: str = ""
    directories: tuple[str, ...] = ()


def own_host(domain: str) -> str:
    """The host that serves a registry's API."""
    return DOCKER_HUB if domain == DEFAULT_DOMAIN else domain


def default_endpoints(domain: str, settings: RegistrySettings, trust: Trust) -> list[Endpoint]:
    """The endpoints of a registry of which no hosts.toml says more, in the order of trial."""
    if domain == DEFAULT_DOMAIN:
        found = [
            Endpoint(url.rstrip("/"), _mirror_trust(url, settings), mirror=True,
                     capabilities=frozenset({PULL, RESOLVE}))
            for url in settings.mirrors
        ]  # fmt: skip
        return [*found, Endpoint(f"https://{DOCKER_HUB}", trust)]
    if is_insecure(domain, settings.insecure):
        unverified = msgspec.structs.replace(trust, verify=False)
        return [Endpoint(f"https://{domain}", unverified), Endpoint(f"http://{domain}")]
    return [Endpoint(f"https://{domain}", trust)]


def _mirror_trust(url: str, settings: RegistrySettings) -> Trust:
    host = url.partition("://")[2].partition("/")[0]
    return Trust(verify=not is_insecure(host, settings.insecure))


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
