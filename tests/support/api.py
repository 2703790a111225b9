"""The Engine API without a client's kindness: requests over the unix socket, answers as values."""

import http.client
import json
import socket
from pathlib import Path
from typing import Any

from tests.support.patience import patience


class ApiError(Exception):
    """An answer of 400 or more."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status
        self.message = message


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__("engine", timeout=patience(timeout))
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


class Api:
    """One engine's API; a connection for each request."""

    def __init__(self, path: Path, version: str = "v1.51", timeout: float = 60) -> None:
        self._path = path
        self._prefix = f"/{version}"
        self._timeout = timeout

    def raw(
        self, method: str, path: str, body: bytes | None = None, kind: str = "",
        headers: dict[str, str] | None = None,
    ) -> bytes:  # fmt: skip
        """The body of an answer; raises ApiError, and ConnectionError if the engine hangs up."""
        connection = _UnixConnection(self._path, self._timeout)
        headers = {**(headers or {}), **({"Content-Type": kind} if kind else {})}
        try:
            connection.request(method, self._prefix + path, body, headers)
            answer = connection.getresponse()
            data = answer.read()
        finally:
            connection.close()
        if answer.status >= 400:
            try:
                message = json.loads(data)["message"]
            except (ValueError, KeyError):
                message = data.decode(errors="replace")
            raise ApiError(answer.status, message)
        return data

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """An answer's JSON, None for an empty one."""
        encoded = None if body is None else json.dumps(body).encode()
        data = self.raw(method, path, encoded, "application/json" if encoded else "")
        return json.loads(data) if data.strip() else None

    def get(self, path: str) -> Any:
        """GET."""
        return self.call("GET", path)

    def post(self, path: str, body: Any = None) -> Any:
        """POST."""
        return self.call("POST", path, body)

    def delete(self, path: str) -> None:
        """DELETE."""
        self.call("DELETE", path)
