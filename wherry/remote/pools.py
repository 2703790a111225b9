"""Connections to registries: kept open, with or without verified TLS, through proxies or not."""

import ssl
import threading
from typing import Any
from urllib.parse import urlsplit
from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]  # undocumented

import urllib3
from urllib3.util import make_headers

from wherry.base.errors import InvalidParameter
from wherry.remote.endpoint import RegistrySettings, Trust

_READ_SECONDS = 60
_CONNECTIONS = 8

# That a certificate does not count was the administrator's decision.
urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)


class ConnectionPools:
    """One HTTP client for all hosts; to be used from any thread."""

    def __init__(self, settings: RegistrySettings) -> None:
        """`settings` name the proxies."""
        self._settings = settings
        self._lock = threading.Lock()
        self._managers: dict[tuple[str, Trust], urllib3.PoolManager] = {}

    def request(
        self, method: str, url: str, *, trust: Trust, dial_seconds: float = 15, **more: Any
    ) -> urllib3.BaseHTTPResponse:
        """As urllib3's request; raises urllib3's HTTPError and its kin."""
        try:
            proxy = self._proxy(url)
        except ValueError:
            raise urllib3.exceptions.LocationParseError(url) from None
        manager = self._manager(proxy, trust)
        timeout = urllib3.Timeout(connect=dial_seconds, read=_READ_SECONDS)
        return manager.request(method, url, timeout=timeout, **more)

    def _proxy(self, url: str) -> str:
        """The proxy that reaches a URL, empty for none (NO_PROXY holds domains, as curl's)."""
        parts = urlsplit(url)
        proxy = self._settings.https_proxy if parts.scheme == "https" else self._settings.http_proxy
        bypassed = proxy_bypass_environment(parts.netloc, {"no": self._settings.no_proxy})
        return "" if bypassed or _is_loopback(parts.hostname or "") else proxy

    def _manager(self, proxy: str, trust: Trust) -> urllib3.PoolManager:
        with self._lock:
            found = self._managers.get((proxy, trust))
            if found is None:
                found = self._managers[proxy, trust] = _make_manager(proxy, trust)
            return found


def _make_manager(proxy: str, trust: Trust) -> urllib3.PoolManager:
    options: dict[str, Any] = {
        "retries": False, "maxsize": _CONNECTIONS,
        "ssl_context": _tls_context(trust),
    }  # fmt: skip
    if not proxy:
        return urllib3.PoolManager(**options)
    parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    user = f"{parts.username}:{parts.password or ''}" if parts.username else None
    bare = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    return urllib3.ProxyManager(bare, proxy_headers=make_headers(proxy_basic_auth=user), **options)


def _tls_context(trust: Trust) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if not trust.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    name = ""
    try:
        for name in trust.authorities:
            context.load_verify_locations(name)
        for name, key in trust.clients:
            context.load_cert_chain(name, key)
    except (OSError, ssl.SSLError) as error:
        raise InvalidParameter(f"the certificate {name} cannot be used: {error}") from None
    return context


def _is_loopback(host: str) -> bool:
    return host in ("localhost", "::1") or host.startswith("127.")
