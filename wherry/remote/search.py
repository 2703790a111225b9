"""Searching an index (GET /v1/search, as Docker Hub and some registries answer it)."""

import msgspec
import urllib3

from wherry.base.errors import InvalidParameter
from wherry.model.credentials import Credentials
from wherry.model.reference import DEFAULT_DOMAIN
from wherry.remote.endpoint import RESOLVE, Endpoint, RegistrySettings
from wherry.remote.errors import RegistryRefused, RegistryUnreachable, transport_reason
from wherry.remote.hosts import endpoints
from wherry.remote.pools import ConnectionPools

_INDEX = "https://index.docker.io"
_LIMITS = range(1, 101)


class Found(msgspec.Struct, frozen=True):
    """One repository that was found."""

    star_count: int = 0
    is_official: bool = False
    name: str = ""
    is_automated: bool = False
    description: str | None = ""


class _Results(msgspec.Struct, frozen=True):
    results: tuple[Found, ...] | None = None


def search(
    term: str, limit: int, credentials: Credentials, settings: RegistrySettings
) -> list[Found]:
    """What the index of a term such as `name` or `host/name` finds, at most `limit`.

    Raises InvalidParameter, RegistryUnreachable, RegistryRefused.
    """
    if "://" in term:
        raise InvalidParameter(
            f"invalid repository name: repository name ({term}) should not have a scheme"
        )
    if limit not in _LIMITS:
        raise InvalidParameter(f"limit {limit} is outside the range of [1, 100]")
    host, name = _split(term)
    if host == DEFAULT_DOMAIN:
        name = name.removeprefix("library/")
    pools = ConnectionPools(settings)
    last: Exception | None = None
    for endpoint in _endpoints(host, settings):
        url = f"{endpoint.base}/v1/search"
        headers = {**dict(endpoint.headers), "X-Docker-Token": "true"}
        if credentials.username and credentials.basic:
            headers["Authorization"] = credentials.basic
        try:
            answer = pools.request(
                "GET", url, trust=endpoint.trust, headers=headers,
                fields={"q": name, "n": str(limit)},
            )  # fmt: skip
        except urllib3.exceptions.HTTPError as error:
            reason = transport_reason(error, endpoint.base.partition("://")[2])
            last = RegistryUnreachable(f'Get "{url}": {reason}')
            continue
        if answer.status != 200:
            raise RegistryRefused(f"unexpected status code {answer.status}")
        try:
            return list(msgspec.json.decode(answer.data, type=_Results).results or ())
        except msgspec.MsgspecError as error:
            raise RegistryRefused(f"error decoding registry search results: {error}") from None
    raise last or RegistryUnreachable(f"no endpoint of {host} serves searches")


def _endpoints(host: str, settings: RegistrySettings) -> list[Endpoint]:
    if host == DEFAULT_DOMAIN:
        return [Endpoint(_INDEX)]
    return [item for item in endpoints(host, settings, RESOLVE) if not item.mirror]


def _split(term: str) -> tuple[str, str]:
    first, slash, rest = term.partition("/")
    if not slash or ("." not in first and ":" not in first and first != "localhost"):
        return DEFAULT_DOMAIN, term
    return (DEFAULT_DOMAIN if first in ("index.docker.io", "docker.io") else first), rest
