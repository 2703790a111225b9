"""The registry client: manifests and blobs by the OCI distribution specification. Blocking."""

import threading
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

import urllib3

from wherry.base.errors import DataCorrupt
from wherry.model.credentials import Credentials
from wherry.model.digest import Digest
from wherry.model.reference import Reference
from wherry.remote.auth import authorization
from wherry.remote.endpoint import Endpoint, RegistrySettings, endpoints
from wherry.remote.errors import (
    AccessDenied,
    BlobUnknown,
    ManifestUnknown,
    RateLimited,
    RegistryRefused,
    RegistryUnreachable,
)
from wherry.remote.pools import ConnectionPools

MANIFEST_TYPES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
_MANIFEST_LIMIT = 4 << 20
_PIECE = 1 << 18
_REDIRECTS = (301, 302, 303, 307, 308)


class RemoteManifest(NamedTuple):
    """A manifest's bytes, verified against its digest."""

    digest: str
    media_type: str
    data: bytes


class Registry:
    """One repository of one registry, for one user."""

    def __init__(
        self, reference: Reference, settings: RegistrySettings, credentials: Credentials
    ) -> None:
        self._reference = reference
        self._credentials = credentials
        self._endpoints = endpoints(reference.domain, settings)
        self._chosen: Endpoint | None = None
        self._tokens: dict[str, str] = {}
        self._lock = threading.Lock()
        self._pools = ConnectionPools(settings)

    def manifest(self, wanted: str) -> RemoteManifest:
        """The manifest of a tag or digest; raises ManifestUnknown, AccessDenied and their kin."""
        headers = {"Accept": ", ".join(MANIFEST_TYPES)}
        path = f"/v2/{self._reference.path}/manifests/{wanted}"
        response = self._get(path, headers)
        data = response.read(_MANIFEST_LIMIT + 1)
        if len(data) > _MANIFEST_LIMIT:
            raise DataCorrupt(f"the manifest of {self._reference.familiar()} is too large")
        digest = str(Digest.of(data))
        named = wanted if ":" in wanted else response.headers.get("Docker-Content-Digest", digest)
        if named.startswith("sha256:") and named != digest:
            raise DataCorrupt(
                f"manifest verification failed for digest {named}: the content is {digest}"
            )
        media_type = response.headers.get("Content-Type", "").partition(";")[0]
        return RemoteManifest(digest, media_type, data)

    def blob(self, digest: str, offset: int = 0) -> tuple[Iterator[bytes], bool]:
        """A blob's bytes from `offset` on, and whether the registry kept to the offset."""
        headers = {"Range": f"bytes={offset}-"} if offset else {}
        response = self._get(f"/v2/{self._reference.path}/blobs/{digest}", headers, blob=digest)
        return response.stream(_PIECE, decode_content=False), response.status == 206

    def _get(self, path: str, headers: dict[str, str], blob: str = "") -> urllib3.BaseHTTPResponse:
        last: Exception | None = None
        for endpoint in [self._chosen] if self._chosen else self._endpoints:
            try:
                response = self._authorized(endpoint, path, headers)
            except urllib3.exceptions.HTTPError as error:
                last = RegistryUnreachable(f'Get "{endpoint.base}/v2/": {_reason(error)}')
                continue
            if endpoint.mirror and response.status >= 400:
                response.release_conn()
                continue
            self._chosen = endpoint
            self._check(response, blob)
            return response
        raise last or RegistryUnreachable(
            f"no endpoint of {self._reference.domain} could be reached"
        )

    def _authorized(
        self, endpoint: Endpoint, path: str, headers: dict[str, str]
    ) -> urllib3.BaseHTTPResponse:
        with self._lock:
            token = self._tokens.get(endpoint.base, "")
        sent = {**headers, **({"Authorization": token} if token else {})}
        response = self._follow(endpoint, f"{endpoint.base}{path}", sent)
        if response.status != 401:
            return response
        challenge = response.headers.get("WWW-Authenticate", "")
        response.release_conn()
        scope = f"repository:{self._reference.path}:pull"

        def send(
            method: str, url: str, extra: dict[str, str], body: bytes | None
        ) -> urllib3.BaseHTTPResponse:
            return self._pools.request(
                method, url, verify=endpoint.verify, headers=extra, body=body
            )

        token = authorization(challenge, self._credentials, scope, send)
        if not token:
            return response
        with self._lock:
            self._tokens[endpoint.base] = token
        return self._follow(endpoint, f"{endpoint.base}{path}", {**headers, "Authorization": token})

    def _follow(
        self, endpoint: Endpoint, url: str, headers: dict[str, str]
    ) -> urllib3.BaseHTTPResponse:
        """GET with redirects; credentials go to the registry's own host only."""
        home = urlsplit(url).netloc
        for _ in range(6):
            sent = dict(headers)
            if urlsplit(url).netloc != home:
                sent.pop("Authorization", None)
            response = self._pools.request(
                "GET", url, verify=endpoint.verify, headers=sent, preload_content=False,
                redirect=False,
            )  # fmt: skip
            if response.status not in _REDIRECTS:
                return response
            response.release_conn()
            url = urljoin(url, response.headers.get("Location", ""))
        raise RegistryRefused(f"too many redirects from {home}")

    def _check(self, response: urllib3.BaseHTTPResponse, blob: str) -> None:
        if response.status in (200, 206):
            return
        name = self._reference.familiar()
        detail = response.read(4096).decode(errors="replace")
        response.release_conn()
        if response.status in (401, 403) or "NAME_UNKNOWN" in detail:
            raise AccessDenied(self._reference.familiar_name)
        if response.status == 404:
            if blob:
                raise BlobUnknown(f"blob {blob} of {name} is unknown to registry")
            raise ManifestUnknown(name)
        if response.status == 429:
            raise RateLimited(f"toomanyrequests: {self._reference.domain} asks to come back later")
        raise RegistryRefused(
            f"received unexpected HTTP status: {response.status} for {name}: {detail[:200]}"
        )


def _reason(error: urllib3.exceptions.HTTPError) -> str:
    text = str(error.args[-1] if error.args else error)
    return text.rpartition(": ")[2] or type(error).__name__
