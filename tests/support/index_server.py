"""An index that answers searches as Docker Hub does, on loopback."""

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.support.http_server import LocalServer, QuietHandler

ENTRIES: list[dict[str, Any]] = [
    {"name": "library/lilliput", "description": "Small.", "star_count": 12, "is_official": True,
     "is_automated": False},
    {"name": "brobdingnag/lilliput", "description": "Large,\nrather.", "star_count": 3,
     "is_official": False, "is_automated": True},
]  # fmt: skip


class IndexServer(LocalServer):
    """One index; to be used as a context. Keeps what was asked."""

    def __init__(self, *, status: int = 200, answer: bytes | None = None) -> None:
        self.asked: list[dict[str, list[str]]] = []
        self.authorizations: list[str] = []
        index = self

        class Handler(QuietHandler):
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

        super().__init__(Handler)
