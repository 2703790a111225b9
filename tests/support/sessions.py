"""A registry that keeps upload sessions as the OCI distribution specification says, and cuts one.

Debian's docker-registry forgets a session whose connection broke in the middle of a request.
"""

import hashlib
import threading
from urllib.parse import parse_qs, urlsplit

from tests.support.http_server import LocalServer, QuietHandler


class SessionRegistry(LocalServer):
    """Takes pushes on loopback; to be used as a context."""

    def __init__(self, *, cut_after: int, hold: bool = False) -> None:
        """The connection of the first upload breaks when `cut_after` bytes of it have come.

        With `hold` it does so when `go_on` is set, after `held` was.
        """
        self.held = threading.Event()
        self.go_on = threading.Event()
        if not hold:
            self.go_on.set()
        self.blobs: dict[str, bytes] = {}
        self.manifests: dict[str, bytes] = {}
        self.ranges: list[str] = []
        self._cut = cut_after
        self._sessions: dict[str, bytearray] = {}
        registry = self

        class Handler(QuietHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                session = registry._sessions.get(urlsplit(self.path).path)
                if session is None:
                    self._answer(200 if self.path == "/v2/" else 404)
                else:
                    self._answer(204, Location=self.path, Range=f"0-{len(session) - 1}")

            def do_HEAD(self) -> None:
                data = registry.blobs.get(self.path.rpartition("/")[2])
                self.send_response(404 if data is None else 200)
                self.send_header("Content-Length", str(len(data or b"")))
                self.end_headers()

            def do_POST(self) -> None:
                place = f"/v2/x/blobs/uploads/{len(registry._sessions)}"
                registry._sessions[place] = bytearray()
                self._answer(202, Location=place)

            def do_PATCH(self) -> None:
                session = registry._sessions[self.path]
                registry.ranges.append(self.headers.get("Content-Range", ""))
                left = int(self.headers["Content-Length"])
                while left:
                    if registry._cut and len(session) >= registry._cut:
                        registry._cut = 0
                        registry.held.set()
                        registry.go_on.wait(60)
                        self.close_connection = True
                        return
                    piece = self.rfile.read(min(left, 10_000))
                    session += piece
                    left -= len(piece)
                self._answer(202, Location=self.path, Range=f"0-{len(session) - 1}")

            def do_PUT(self) -> None:
                parts = urlsplit(self.path)
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                if "/manifests/" in parts.path:
                    registry.manifests[parts.path.rpartition("/")[2]] = body
                    self._answer(201)
                    return
                data = bytes(registry._sessions.pop(parts.path)) + body
                wanted = parse_qs(parts.query)["digest"][0]
                right = wanted == f"sha256:{hashlib.sha256(data).hexdigest()}"
                if right:
                    registry.blobs[wanted] = data
                self._answer(201 if right else 400)

            def _answer(self, status: int, **headers: str) -> None:
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                if status != 204:
                    self.send_header("Content-Length", "0")
                self.end_headers()

        super().__init__(Handler)
