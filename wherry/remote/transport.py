"""Requests to one registry: endpoints in turn, authorization as it is asked for, redirects."""

import threading
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

import urllib3

from wherry.model.credentials import Credentials
from wherry.remote.auth import authorization, challenges
from wherry.remote.endpoint import PULL, Endpoint, RegistrySettings
from wherry.remote.errors import LoginFailed, RegistryRefused, RegistryUnreachable, transport_reason
from wherry.remote.hosts import endpoints
from wherry.remote.pools import ConnectionPools

_REDIRECTS = (301, 302, 303, 307, 308)
_MAXIMUM_REDIRECTS = 6
_SHORT = 1 << 16


class Transport:
    """Speaks to the endpoints of one registry for one user; to be used from any thread."""

    def __init__(
        self, domain: str, settings: RegistrySettings, credentials: Credentials,
        capability: str = PULL,
    ) -> None:  # fmt: skip
        self.domain = domain
        self._credentials = credentials
        self._endpoints = endpoints(domain, settings, capability)
        self._chosen: Endpoint | None = None
        self._tokens: dict[tuple[str, tuple[str, ...]], str] = {}
        self._lock = threading.Lock()
        self._pools = ConnectionPools(settings)

    def send(
        self, method: str, path: str, scopes: Sequence[str], headers: dict[str, str] | None = None,
        *, good: Sequence[int] = (200,),
    ) -> urllib3.BaseHTTPResponse:  # fmt: skip
        """The answer of the first endpoint that has a good one, else the last answer there was.

        `path` is below the API's own. Raises RegistryUnreachable if no endpoint answers.
        """
        last: Exception | None = None
        answer: urllib3.BaseHTTPResponse | None = None
        for endpoint in self._in_order():
            url = f"{endpoint.base}{endpoint.api}{path}"
            if endpoint.namespace:
                url += f"{'&' if '?' in url else '?'}{urlencode({'ns': endpoint.namespace})}"
            try:
                found = self.request(endpoint, method, url, scopes, headers or {})
            except urllib3.exceptions.HTTPError as error:
                reason = transport_reason(error, urlsplit(endpoint.base).netloc)
                last = RegistryUnreachable(f'Get "{endpoint.base}/v2/": {reason}')
                continue
            if answer is not None:
                discard(answer)
            answer = found
            if found.status in good or not endpoint.mirror:
                self._chosen = endpoint
                return found
        if answer is not None:
            return answer
        raise last or RegistryUnreachable(f"no endpoint of {self.domain} serves this")

    @property
    def endpoint(self) -> Endpoint:
        """The endpoint that answered last; of no use before `send`."""
        return self._chosen or self._endpoints[0]

    def _in_order(self) -> list[Endpoint]:
        """Those before the chosen one have failed already."""
        chosen = self._chosen
        if chosen is None or chosen not in self._endpoints:
            return self._endpoints
        return self._endpoints[self._endpoints.index(chosen) :]

    def request(
        self, endpoint: Endpoint, method: str, url: str, scopes: Sequence[str],
        headers: dict[str, str], body: Any = None,
    ) -> urllib3.BaseHTTPResponse:  # fmt: skip
        """One endpoint's answer to a request, authorized if it asks; its body is not read yet.

        A `body` that is no bytes is sent once only: authorize with another request before.
        Raises urllib3's HTTPError; LoginFailed.
        """
        key = (endpoint.base, tuple(scopes))
        with self._lock:
            token = self._tokens.get(key, "")
        sent = {**dict(endpoint.headers), **headers}
        own = _is_at(url, endpoint)
        if token and own:
            sent["Authorization"] = token
        response, last = self._follow(endpoint, method, url, sent, body)
        if response.status != 401 or not own or not _is_at(last, endpoint):
            return response  # what another host asks for is none of its business (CVE-2020-15157)
        asked = ", ".join(response.headers.getlist("WWW-Authenticate"))
        token = self._authorize(endpoint, asked, scopes)
        if not token and "basic" in challenges(asked) and not self._of(endpoint).username:
            discard(response)
            raise RegistryRefused(f'{method.title()} "{url}": no basic auth credentials')
        if not token or token == sent.get("Authorization") or not _repeatable(body):
            return response
        discard(response)
        with self._lock:
            self._tokens[key] = token
        return self._follow(endpoint, method, url, {**sent, "Authorization": token}, body)[0]

    def _of(self, endpoint: Endpoint) -> Credentials:
        """A mirror never gets what was meant for the registry itself."""
        return Credentials() if endpoint.mirror else self._credentials

    def _authorize(self, endpoint: Endpoint, asked: str, scopes: Sequence[str]) -> str:
        def send(
            method: str, url: str, headers: dict[str, str], body: bytes | None
        ) -> urllib3.BaseHTTPResponse:
            return self._pools.request(
                method,
                url,
                trust=endpoint.trust,
                dial_seconds=endpoint.dial_seconds,
                headers=headers,
                body=body,
            )

        try:
            return authorization(asked, self._of(endpoint), scopes, send)[0]
        except LoginFailed as error:
            # As dockerd: a client that is told 401 asks its user for another password and again.
            raise RegistryRefused(error.message) from error

    def _follow(
        self, endpoint: Endpoint, method: str, url: str, headers: dict[str, str], body: Any
    ) -> tuple[urllib3.BaseHTTPResponse, str]:
        """The answer after redirects, which are followed without a body, and the URL it is from.

        Credentials go to the registry's own host only.
        """
        home = urlsplit(url)
        for _ in range(_MAXIMUM_REDIRECTS):
            sent = dict(headers)
            if urlsplit(url)[:2] != home[:2]:
                sent.pop("Authorization", None)
            response = self._pools.request(
                method, url, trust=endpoint.trust, dial_seconds=endpoint.dial_seconds, headers=sent,
                body=body, preload_content=False, redirect=False,
            )  # fmt: skip
            if response.status not in _REDIRECTS or body is not None:
                return response, url
            discard(response)
            url = resolved(url, response.headers.get("Location", ""))
            if urlsplit(url).scheme not in ("http", "https"):
                break
        raise RegistryRefused(f"too many redirects from {home.netloc}")


def resolved(base: str, location: str) -> str:
    """A Location as a whole URL; raises RegistryRefused if it is none."""
    try:
        url = urljoin(base, location)
        urlsplit(url)
    except ValueError:
        raise RegistryRefused(f"the registry sent a bad address: {location}") from None
    return url


def discard(response: urllib3.BaseHTTPResponse) -> None:
    """Reads a short rest, so that the connection can be used again; closes it otherwise."""
    try:
        rest = response.read(_SHORT)
    except urllib3.exceptions.HTTPError:
        rest = b""
    if len(rest) >= _SHORT:
        response.close()
    response.release_conn()


def _is_at(url: str, endpoint: Endpoint) -> bool:
    return urlsplit(url)[:2] == urlsplit(endpoint.base)[:2]


def _repeatable(body: Any) -> bool:
    return body is None or isinstance(body, bytes)
