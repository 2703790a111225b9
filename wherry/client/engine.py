"""The client of one engine: version negotiation, requests, streams and hijacked connections."""

from __future__ import annotations

from wherry.client.errors import ApiError, ClientError, ConnectionFailed
from wherry.client.http import Connection, Response
from wherry.client.json_text import dumps, loads
from wherry.client.query import encode_query

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    from wherry.client.transport import Endpoint

    Query = Mapping[str, str | Sequence[str]]

API_VERSION = "1.51"
"""The newest version this client knows; an older engine lowers it."""

_OLDEST = "1.24"


def _version_key(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())


class PendingAnswer:
    """A request that is on its way, so that several can be under way at once."""

    def __init__(self, client: EngineClient, connection: Connection, method: str) -> None:
        self._client, self._connection, self._method = client, connection, method

    def head(self) -> Response:
        """Waits for the head; raises ApiError for a status of 400 or more."""
        try:
            response = self._connection.read_head(self._method)
        except (EOFError, ConnectionError) as error:
            self._connection.close()
            raise self._client.broken(error) from error
        return self._client.checked(response)

    def value(self) -> Any:
        """Waits for the whole answer and decodes it."""
        return self._client.decoded(self.head())


class EngineClient:
    """Speaks the Engine API with one engine, one request at a time on each connection."""

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        version: str = "",
        headers: Mapping[str, str] | None = None,
        user_agent: str = "Wherry-Client",
    ) -> None:
        self.endpoint = endpoint
        self.pinned = bool(version)
        self.server: dict[str, str] = {}
        self._version = version.removeprefix("v")
        self._headers = {"Host": endpoint.http_host, "User-Agent": user_agent}
        if headers:
            self._headers |= headers
        self._idle: Connection | None = None

    def open(self) -> EngineClient:
        """Another client of the same engine, to use while this one awaits an answer."""
        other = EngineClient(self.endpoint, version=self._version, headers=self._headers)
        other.server = self.server
        return other

    @property
    def version(self) -> str:
        """The API version in use, negotiated by the first ping."""
        if not self._version:
            self.ping()
        return self._version

    @property
    def version_key(self) -> tuple[int, ...]:
        """The version as numbers, to compare with."""
        return _version_key(self.version)

    def ping(self) -> dict[str, str]:
        """HEAD /_ping once: the engine's version, system and features, from the headers."""
        if self.server:
            return self.server
        response = self._begin("HEAD", "/_ping", None, None, None).head()
        self._release(response)
        self.server = response.headers
        if not self._version:
            offered = self.server.get("api-version", _OLDEST)
            self._version = min(API_VERSION, offered, key=_version_key)
        return self.server

    def begin(
        self,
        method: str,
        path: str,
        query: Query | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> PendingAnswer:
        """Sends a request under the negotiated version; a dict or list body is sent as JSON."""
        return self._begin(method, f"/v{self.version}{path}", query, body, headers)

    def _begin(
        self,
        method: str,
        target: str,
        query: Query | None,
        body: Any,
        headers: Mapping[str, str] | None,
    ) -> PendingAnswer:
        if query and (text := encode_query(query)):
            target = f"{target}?{text}"
        all_headers = {**self._headers, **(headers or {})}
        if isinstance(body, dict | list):
            body = dumps(body).encode()
            all_headers["Content-Type"] = "application/json"
        connection = self._idle or Connection(self.endpoint.dial())
        self._idle = None
        try:
            connection.send(method, target, all_headers, body)
        except BrokenPipeError:
            pass  # the engine may have answered without reading the body: read that answer
        except ConnectionError as error:
            raise self.broken(error) from error
        return PendingAnswer(self, connection, method)

    def request(
        self,
        method: str,
        path: str,
        query: Query | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """A request whose answer is read by the caller as it comes."""
        return self.begin(method, path, query, body, headers).head()

    def get(self, path: str, query: Query | None = None) -> Any:
        """GET, the answer decoded."""
        return self.begin("GET", path, query).value()

    def post(
        self,
        path: str,
        query: Query | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """POST, the answer decoded."""
        return self.begin("POST", path, query, body, headers).value()

    def delete(self, path: str, query: Query | None = None) -> Any:
        """DELETE, the answer decoded."""
        return self.begin("DELETE", path, query).value()

    def begin_hijack(
        self, path: str, query: Query | None = None, body: Any = None
    ) -> PendingAnswer:
        """Asks to turn the connection into a raw stream, as attach and exec do."""
        upgrade = {"Connection": "Upgrade", "Upgrade": "tcp"}
        if body is None:
            upgrade["Content-Type"] = "text/plain"
        return self.begin("POST", path, query, body, upgrade)

    def upload(self, method: str, path: str, query: Query, content: Iterable[bytes]) -> Response:
        """Sends a tar stream in chunks."""
        return self.request(method, path, query, content, {"Content-Type": "application/x-tar"})

    def decoded(self, response: Response) -> Any:
        """The body as JSON, or None where there is none; the connection is kept for reuse."""
        try:
            data = response.read()
        except (EOFError, ConnectionError) as error:
            response.close()
            raise self.broken(error) from error
        self._release(response)
        return loads(data) if data.strip() else None

    def checked(self, response: Response) -> Response:
        """The response, or ApiError with the engine's message."""
        if response.status < 400:
            return response
        try:
            data = response.read()
        except (EOFError, ConnectionError) as error:
            response.close()
            raise self.broken(error) from error
        self._release(response)
        raise ApiError(response.status, _error_text(response, data))

    def _release(self, response: Response) -> None:
        if response.reusable and self._idle is None:
            self._idle = response.connection
        else:
            response.close()

    def broken(self, error: BaseException) -> ConnectionFailed:
        """What to say when the engine hung up."""
        return ConnectionFailed(f"error during connect: {self.endpoint.host}: {error or 'EOF'}")

    def close(self) -> None:
        """Closes the connection kept for reuse."""
        if self._idle:
            self._idle.close()
            self._idle = None


def _error_text(response: Response, data: bytes) -> str:
    if response.headers.get("content-type", "").startswith("application/json"):
        try:
            value = loads(data)
        except ClientError:
            value = None
        if isinstance(value, dict) and value.get("message"):
            return str(value["message"]).strip()
    text = data.decode("utf-8", "replace").strip()
    return text or f"request returned status {response.status}"
