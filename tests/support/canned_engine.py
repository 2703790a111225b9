"""An engine that gives answers from a table and remembers what it was asked."""

import json
import socketserver
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

Answer = tuple[int, Any]


class CannedEngine:
    """Listens on a unix socket below `directory`; to be used as a context.

    `answers` goes from `GET /containers/json` to a status and a value, sent as JSON; bytes are sent
    as they are. What is not in it is answered by `otherwise`.
    """

    def __init__(
        self, directory: Path, answers: Mapping[str, Answer], otherwise: Answer, api: str = "1.51"
    ) -> None:
        self.host = f"unix://{directory}/engine.sock"
        self.answers, self.otherwise, self.api = answers, otherwise, api
        self.requests: list[dict[str, Any]] = []
        self._server = _Server(f"{directory}/engine.sock", _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    def __enter__(self) -> "CannedEngine":
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(
        self, method: str, target: str, body: bytes, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Remembers the request and finds its answer."""
        parts = urlsplit(target)
        path = unquote(parts.path)
        version = ""
        if path.startswith("/v1."):
            version, path = path[1 : path.index("/", 1)], path[path.index("/", 1) :]
        if path != "/_ping":
            query = sorted((name, _json(value)) for name, value in
                           parse_qsl(parts.query, keep_blank_values=True))  # fmt: skip
            self.requests.append(
                {
                    "request": f"{method} {path}",
                    "query": query,
                    "body": _json(body),
                    "version": version,
                    "headers": dict(headers or {}),
                }
            )
        return self.answers.get(f"{method} {path}", self.otherwise)


def _json(text: str | bytes) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text if isinstance(text, str) else f"{len(text)} bytes"


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients may go away in the middle of an answer."""


def _handler(engine: CannedEngine) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            status, value = engine.answer(
                self.command, self.path, self.read_body(), dict(self.headers.items())
            )
            if self.path.endswith("/_ping"):
                status, value = 200, b"OK"
            data = value if isinstance(value, bytes) else json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Api-Version", engine.api)
            self.send_header("Ostype", "linux")
            self.send_header("Docker-Experimental", "false")
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(data)

        def read_body(self) -> bytes:
            if self.headers.get("Transfer-Encoding") != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length") or 0))
            body = b""
            while size := int(self.rfile.readline().split(b";")[0], 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body

        def address_string(self) -> str:
            return "client"

        def log_message(self, *arguments: object) -> None:
            pass

        do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = handle_any

    return Handler
