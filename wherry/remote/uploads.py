"""Uploads of blobs to one repository: mounted from another, or sent, and gone on with after a cut.

Sessions as in the OCI distribution specification, "Pushing blobs": POST, PATCH, PUT, and GET of the
session's place to learn how much has come.
"""

from collections.abc import Iterator
from urllib.parse import quote

import urllib3

from wherry.remote.registry import Registry
from wherry.remote.transport import discard


class BlobUploads:
    """The sessions of one repository; made once something was asked of it, which authorizes."""

    def __init__(self, registry: Registry) -> None:
        """`registry` was opened to push."""
        self._registry = registry

    def mount(self, digest: str, source: str) -> str:
        """Takes a blob over from another repository there; where to upload it instead, or empty."""
        query = f"?mount={quote(digest)}&from={quote(source)}"
        scopes = (self._registry.scope, f"repository:{source}:pull")
        response = self._registry.send("POST", f"/blobs/uploads/{query}", {}, scopes)
        discard(response)
        if response.status == 201:
            return ""
        # The source may be nothing that this user may read.
        return self._registry.location(response) if response.status == 202 else self.begin()

    def begin(self) -> str:
        """Where to upload a blob."""
        response = self._registry.send("POST", "/blobs/uploads/", {})
        self._check(response, 202)
        return self._registry.location(response)

    def arrived(self, place: str) -> tuple[str, int]:
        """Where to go on with an upload, and the bytes that have come; raises ConnectionBroken."""
        response = self._registry.at(place, "GET", {}, None)
        self._check(response, 204, 202, 200)
        last = response.headers.get("Range", "").rpartition("-")[2]
        count = int(last) + 1 if last.isdecimal() and int(last) else 0
        return self._registry.location(response, place), count

    def send(self, place: str, body: Iterator[bytes], offset: int, size: int) -> str:
        """Sends a blob's bytes from `offset` on; where to finish. Raises ConnectionBroken."""
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(size - offset)}
        if offset:
            headers["Content-Range"] = f"{offset}-{size - 1}"
        response = self._registry.at(place, "PATCH", headers, body)
        self._check(response, 202, 204)
        return self._registry.location(response, place)

    def finish(self, place: str, digest: str) -> None:
        """Makes an uploaded blob part of the repository; raises ConnectionBroken."""
        mark = "&" if "?" in place else "?"
        url = f"{place}{mark}digest={quote(digest)}"
        self._check(self._registry.at(url, "PUT", {}, b""), 201, 204)

    def _check(self, response: urllib3.BaseHTTPResponse, *good: int) -> None:
        self._registry.check(response, b"" if response.status in good else _text(response), good)


def _text(response: urllib3.BaseHTTPResponse) -> bytes:
    try:
        return response.read(1 << 16)
    except urllib3.exceptions.HTTPError:
        return b""
