"""An index that answers searches as Docker Hub does, on loopback."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

ENTRIES: list[dict[str, Any]] = [
    {"name": "library/lilliput", "description": "Small.", "star_count": 12, "is_official": True,
     "is_automated": False},
    {"name": "brobdingnag/lilliput", "description": "Large,\nrather.", "star_count": 3,
     "is_official": False, "is_automated": True},
]  # fmt: skip


class IndexServer:
    """One index; to be used as a context. Keeps what was asked."""

    def __init__(self, *, status: int = 200, answer: bytes | None = None) -> None:
        self.asked: list[dict[str, list[str]]] = []
        self.authorizations: list[str] = []
        index = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                query = parse_qs(parts.query)
                index.asked.append(query)
                index.authorizations.append(self.headers.get("Authorization", ""))
                results = [item for item in ENTRIES if query["q"][0] in item["name"]]
                body = (
                    answer
                    or json.dumps(
                        {"query": query["q"][0], "num_results": len(results), "results": results}
                    ).encode()
                )
                self.send_response(status if parts.path == "/v1/search" else 404)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "IndexServer":
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
