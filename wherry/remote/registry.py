"""The registry client: manifests and blobs by the OCI distribution specification. Blocking."""

import re
from collections.abc import Generator, Sequence
from typing import Any, NamedTuple

import msgspec
import urllib3

from wherry.base.errors import DataCorrupt
from wherry.model.credentials import Credentials
from wherry.model.digest import Digest
from wherry.model.manifest import MANIFEST_TYPES, SCHEMA_1
from wherry.model.reference import Reference
from wherry.remote.endpoint import PULL, PUSH, RegistrySettings
from wherry.remote.errors import (
    ConnectionBroken,
    RegistryBusy,
    push_refused,
    rate_limit,
    read_fault,
    refused,
)
from wherry.remote.transport import Transport, discard, resolved

_MANIFEST_LIMIT = 4 << 20
_PIECE = 1 << 18
_NEXT = re.compile(r'<([^>]+)>;\s*rel="?next"?')


class RemoteManifest(NamedTuple):
    """A manifest's bytes, verified against its digest."""

    digest: str
    media_type: str
    data: bytes


class _Tags(msgspec.Struct, frozen=True):
    tags: tuple[str, ...] | None = None


class Registry:
    """One repository of one registry, for one user."""

    def __init__(
        self, reference: Reference, settings: RegistrySettings, credentials: Credentials, *,
        push: bool = False,
    ) -> None:  # fmt: skip
        self._reference = reference
        self._path = f"/{reference.path}"
        self._push = push
        self._transport = Transport(reference.domain, settings, credentials, PUSH if push else PULL)
        self.scope = f"repository:{reference.path}:{'pull,push' if push else 'pull'}"

    def manifest(self, wanted: str) -> RemoteManifest:
        """The manifest of a tag or digest; raises ManifestUnknown, AccessDenied and their kin."""
        headers = {"Accept": ", ".join(MANIFEST_TYPES)}
        response = self._get(f"/manifests/{wanted}", headers)
        try:
            data = response.read(_MANIFEST_LIMIT + 1)
        except urllib3.exceptions.HTTPError as error:
            raise RegistryBusy(f"the manifest of {self._shown()} broke off: {error}") from error
        finally:
            discard(response)
        if len(data) > _MANIFEST_LIMIT:
            raise DataCorrupt(f"the manifest of {self._shown()} is too large")
        digest = str(Digest.of(data))
        media_type = response.headers.get("Content-Type", "").partition(";")[0]
        named = wanted if ":" in wanted else response.headers.get("Docker-Content-Digest", digest)
        signed = media_type.startswith(SCHEMA_1)  # its digest leaves the signatures out
        if named.startswith("sha256:") and named != digest and not signed:
            raise DataCorrupt(
                f"manifest verification failed for digest {named}: the content is {digest}"
            )
        return RemoteManifest(digest, media_type, data)

    def digest_of(self, wanted: str) -> str:
        """The digest that a tag has there now, empty if there is none."""
        headers = {"Accept": ", ".join(MANIFEST_TYPES)}
        response = self.send("HEAD", f"/manifests/{wanted}", headers)
        discard(response)
        if response.status != 200:
            return ""
        return str(response.headers.get("Docker-Content-Digest", ""))

    def tags(self) -> list[str]:
        """All tags of the repository."""
        path = "/tags/list"
        found: list[str] = []
        while path:
            response = self._get(path, {})
            try:
                found += msgspec.json.decode(response.read(), type=_Tags).tags or ()
            except msgspec.MsgspecError:
                raise DataCorrupt(f"the tags of {self._shown()} cannot be read") from None
            following = _NEXT.search(response.headers.get("Link", ""))
            path = f"/tags/list?{following[1].partition('?')[2]}" if following else ""
        return found

    def blob(self, digest: str, offset: int = 0) -> tuple[Generator[bytes, None, None], bool]:
        """A blob's bytes from `offset` on, and whether the registry kept to the offset.

        The generator raises ConnectionBroken if the connection breaks; to be closed.
        """
        headers = {"Range": f"bytes={offset}-"} if offset else {}
        response = self._get(f"/blobs/{digest}", headers)
        return _pieces(response), response.status == 206

    def blob_size(self, digest: str) -> int | None:
        """The size of a blob, None if the repository has none of this digest."""
        response = self.send("HEAD", f"/blobs/{digest}", {})
        discard(response)
        if response.status == 200:
            return int(response.headers.get("Content-Length", "0"))
        if response.status != 404:
            self.check(response, b"")
        return None

    def put_manifest(self, name: str, media_type: str, data: bytes) -> str:
        """Stores a manifest under a tag or its digest; returns its digest."""
        endpoint = self._transport.endpoint
        url = f"{endpoint.base}{endpoint.api}{self._path}/manifests/{name}"
        response = self.at(url, "PUT", {"Content-Type": media_type}, data)
        self.check(response, response.read(), good=(201, 202))
        return str(response.headers.get("Docker-Content-Digest") or Digest.of(data))

    def _get(self, path: str, headers: dict[str, str]) -> urllib3.BaseHTTPResponse:
        response = self.send("GET", path, headers)
        if response.status in (200, 206):
            return response
        try:
            body = response.read(1 << 16)
        except urllib3.exceptions.HTTPError:
            body = b""
        self.check(response, body)
        return response

    def send(
        self, method: str, path: str, headers: dict[str, str], scopes: Sequence[str] = (),
        good: Sequence[int] = (200, 206),
    ) -> urllib3.BaseHTTPResponse:  # fmt: skip
        """The answer to a request below the repository."""
        asked = scopes or (self.scope,)
        return self._transport.send(method, self._path + path, asked, headers, good=good)

    def at(
        self, url: str, method: str, headers: dict[str, str], body: Any
    ) -> urllib3.BaseHTTPResponse:
        """A request to a URL that the registry gave out; raises ConnectionBroken if it breaks."""
        try:
            return self._transport.request(
                self._transport.endpoint, method, url, (self.scope,), headers, body
            )
        except urllib3.exceptions.HTTPError as error:
            raise ConnectionBroken(f"the registry broke off: {error}") from error

    def location(self, response: urllib3.BaseHTTPResponse, before: str = "") -> str:
        """Where an answer says to go on."""
        base = before or f"{self._transport.endpoint.base}/"
        return resolved(base, response.headers.get("Location", before))

    def check(
        self, response: urllib3.BaseHTTPResponse, body: bytes, good: Sequence[int] = (200, 206)
    ) -> None:
        """Raises what an answer that is not good means."""
        discard(response)
        if response.status in good:
            return
        fault = read_fault(response.status, body, response.headers.get("WWW-Authenticate", ""))
        if self._push:
            raise push_refused(response.status, fault, self._shown())
        raise refused(
            response.status, fault, self._reference.familiar_name, self._shown(),
            rate_limit(self._reference.domain, response.headers),
        )  # fmt: skip

    def _shown(self) -> str:
        return self._reference.familiar()


def _pieces(response: urllib3.BaseHTTPResponse) -> Generator[bytes, None, None]:
    try:
        # Whatever has come, so that a broken connection loses nothing.
        while piece := response.read1(_PIECE, decode_content=False):
            yield piece
    except urllib3.exceptions.HTTPError as error:
        raise ConnectionBroken(f"the registry broke off: {error}") from error
    finally:
        response.close()  # of no use again unless it was read to its end, and then it is back
