"""Asking a registry whether it takes somebody's credentials."""

import re
from http import HTTPStatus
from urllib.parse import urlsplit

import urllib3

from wherry.base.errors import InvalidParameter
from wherry.model.credentials import Credentials
from wherry.model.reference import DEFAULT_DOMAIN
from wherry.remote.auth import authorization
from wherry.remote.endpoint import PULL, Endpoint, RegistrySettings
from wherry.remote.errors import LoginFailed, RegistryRefused, RegistryUnreachable, transport_reason
from wherry.remote.hosts import endpoints
from wherry.remote.pools import ConnectionPools

_HOST = re.compile(r"[\w.\[\]:-]+", re.ASCII)
_DEFAULT_HOSTS = ("", "docker.io", "index.docker.io", "registry-1.docker.io")


def log_in(credentials: Credentials, settings: RegistrySettings) -> str:
    """The identity token that the registry of `serveraddress` gives, empty if it gives none.

    Raises LoginFailed, RegistryUnreachable, RegistryRefused. Mirrors are not asked.
    """
    domain = _domain(credentials.serveraddress)
    pools = ConnectionPools(settings)
    last: Exception | None = None
    for endpoint in endpoints(domain, settings, PULL):
        if endpoint.mirror:
            continue
        try:
            return _try(endpoint, credentials, pools)
        except urllib3.exceptions.HTTPError as error:
            reason = transport_reason(error, urlsplit(endpoint.base).netloc)
            last = RegistryUnreachable(f'Get "{endpoint.base}/v2/": {reason}')
    raise last or RegistryUnreachable(f"no endpoint of {domain} serves logins")


def _domain(address: str) -> str:
    try:
        host = urlsplit(address if "://" in address else f"https://{address}").netloc
    except ValueError:
        host = ""
    if address and (not host or not _HOST.fullmatch(host)):
        raise InvalidParameter(f"unable to parse server address: {address}")
    return DEFAULT_DOMAIN if host in _DEFAULT_HOSTS else host


def _try(endpoint: Endpoint, credentials: Credentials, pools: ConnectionPools) -> str:
    url = f"{endpoint.base}{endpoint.api}/"
    fixed = dict(endpoint.headers)

    def send(
        method: str, where: str, headers: dict[str, str], body: bytes | None
    ) -> urllib3.BaseHTTPResponse:
        return pools.request(
            method, where, trust=endpoint.trust, dial_seconds=endpoint.dial_seconds,
            headers=headers, body=body,
        )  # fmt: skip

    asked = send("GET", url, fixed, None)
    if asked.status == HTTPStatus.OK:
        return ""  # whoever one is
    header = ", ".join(asked.headers.getlist("WWW-Authenticate"))
    if asked.status != HTTPStatus.UNAUTHORIZED or not header:
        raise RegistryRefused(_failed(url, asked.status))
    offered, token = authorization(header, credentials, (), send)
    answer = send("GET", url, {**fixed, "Authorization": offered}, None) if offered else asked
    if answer.status == HTTPStatus.UNAUTHORIZED:
        raise LoginFailed(_failed(url, answer.status))
    if answer.status != HTTPStatus.OK:
        raise RegistryRefused(_failed(url, answer.status))
    return token


def _failed(url: str, status: int) -> str:
    try:
        text = HTTPStatus(status).phrase
    except ValueError:
        text = ""
    return f"login attempt to {url} failed with status: {status} {text}".rstrip()
