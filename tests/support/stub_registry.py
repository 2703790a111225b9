"""A registry that serves one layout and misbehaves as a test wants, on loopback."""

import re
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.support.layers import OCI_MANIFEST, Layout, digest

Hook = Callable[["Request"], bool]


class Request(BaseHTTPRequestHandler):
    """One request; `answer` answers it."""

    protocol_version = "HTTP/1.1"
    stub: "StubRegistry"

    def do_GET(self) -> None:
        """Serves what the layout has, unless the hook did something else."""
        self.stub.requests.append((self.path, self.headers.get("Authorization", "")))
        if self.stub.hook and self.stub.hook(self):
            return
        name = self.path.rpartition("/")[2].partition("?")[0]
        data = self.stub.blobs.get(self.stub.tags.get(name, name))
        if self.path == "/v2/" or data is None:
            self.answer(200 if self.path == "/v2/" else 404, b"")
            return
        kind = "application/octet-stream"
        if "/manifests/" in self.path:
            found = re.search(rb'"mediaType": ?"(application/[^"]*(?:manifest|index)[^"]*)"', data)
            kind = self.stub.media_type or (found[1].decode() if found else OCI_MANIFEST)
        self.answer(200, data, **{"Content-Type": kind})

    do_HEAD = do_GET

    def answer(self, status: int, body: bytes, **headers: str) -> None:
        """Sends an answer."""
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


class StubRegistry:
    """To be used as a context. `hook` sees every request first, and says whether it answered."""

    def __init__(
        self, layout: Layout, hook: Hook | None = None, *, media_type: str = "",
        tags: dict[str, str] | None = None,
    ) -> None:  # fmt: skip
        """`media_type` is told of every manifest; `tags` are the layout's own unless given."""
        self.blobs = layout.blobs
        self.tags = tags or {
            item["annotations"]["org.opencontainers.image.ref.name"]: item["digest"]
            for item in layout.manifests
        }
        self.hook = hook
        self.media_type = media_type
        self.requests: list[tuple[str, str]] = []
        handler: Any = type("Handler", (Request,), {"stub": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.address = f"127.0.0.1:{self._server.server_port}"

    def add(self, data: bytes, tag: str) -> str:
        """Serves a manifest under a tag, too; returns its digest."""
        self.blobs[digest(data)] = data
        self.tags[tag] = digest(data)
        return digest(data)

    def __enter__(self) -> "StubRegistry":
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
