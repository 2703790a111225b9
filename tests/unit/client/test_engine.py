"""The client speaks HTTP with a real server on a real socket."""

import json
import socket
import threading

import pytest

from wherry.client.engine import EngineClient
from wherry.client.errors import ApiError, ClientError, ConnectionFailed
from wherry.client.transport import Endpoint


class ScriptedServer:
    """Answers each request of each connection with the next bytes of a script."""

    def __init__(self, path):
        self.path = str(path)
        self.requests = []
        self.answers = []
        self.raw = b""
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(self.path)
        self._listener.listen(8)
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self):
        while True:
            connection, _ = self._listener.accept()
            with connection:
                if not self._talk(connection):
                    return

    def _talk(self, connection):
        file = connection.makefile("rb")
        with file:
            while True:
                first = file.readline()
                if first == b"STOP\n":
                    return False
                if not first:
                    return True
                headers = {}
                while line := file.readline().strip():
                    name, _, value = line.decode().partition(":")
                    headers[name.lower()] = value.strip()
                body = self._body(file, headers)
                self.requests.append((first.decode().strip(), headers, body))
                answer = self.answers.pop(0)
                connection.sendall(answer)
                if b"101 UPGRADED" in answer:
                    self.raw = file.read()
                    connection.sendall(b"bye")
                    return True
                if b"Connection: close" in answer:
                    return True

    @staticmethod
    def _body(file, headers):
        if headers.get("transfer-encoding") == "chunked":
            parts = []
            while size := int(file.readline(), 16):
                parts.append(file.read(size))
                file.readline()
            file.readline()
            return b"".join(parts)
        return file.read(int(headers.get("content-length", 0)))

    def close(self):
        with socket.socket(socket.AF_UNIX) as last:
            last.connect(self.path)
            last.sendall(b"STOP\n")
        self._thread.join()
        self._listener.close()


@pytest.fixture
def server(tmp_path):
    running = ScriptedServer(tmp_path / "engine.sock")
    yield running
    running.close()


@pytest.fixture
def client(server):
    made = EngineClient(Endpoint(f"unix://{server.path}"))
    yield made
    made.close()


def answer(body, status="200 OK", *headers):
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


PING = answer(b"", "200 OK", "Api-Version: 1.43", "Ostype: linux").replace(
    b"Content-Length: 0", b"Content-Length: 2"
)
JSON = "Content-Type: application/json"


def test_the_version_is_negotiated_down_to_the_engines(server, client):
    server.answers = [PING, answer(b'{"a":1}', "200 OK", JSON)]
    assert client.get("/info") == {"a": 1}
    assert [request[0] for request in server.requests] == [
        "HEAD /_ping HTTP/1.1",
        "GET /v1.43/info HTTP/1.1",
    ]


def test_a_newer_engine_is_spoken_to_in_our_version(server, client):
    server.answers = [PING.replace(b"1.43", b"9.99"), answer(b"{}")]
    client.get("/info")
    assert server.requests[1][0] == "GET /v1.51/info HTTP/1.1"


def test_a_pinned_version_is_not_negotiated(server):
    client = EngineClient(Endpoint(f"unix://{server.path}"), version="v1.40")
    server.answers = [answer(b"[]")]
    assert client.get("/images/json") == []
    client.close()
    assert server.requests[0][0] == "GET /v1.40/images/json HTTP/1.1"


def test_queries_and_bodies_are_encoded(server, client):
    server.answers = [PING, answer(b'{"Id":"x"}', "201 Created", JSON)]
    client.post("/containers/create", {"name": "a b/c", "names": ["1", "2"]}, {"Cmd": ["é"]})
    line, headers, body = server.requests[1]
    assert line == "POST /v1.43/containers/create?name=a%20b%2Fc&names=1&names=2 HTTP/1.1"
    assert headers["content-type"] == "application/json"
    assert json.loads(body) == {"Cmd": ["é"]}


def test_chunked_answers_are_put_together(server, client):
    body = b"3\r\n[1,\r\n2;x=y\r\n2]\r\n0\r\nTrailer: x\r\n\r\n"
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    server.answers = [PING, head + body, answer(b"{}")]
    assert client.get("/x") == [1, 2]
    assert client.get("/y") == {}


def test_an_answer_without_length_ends_with_the_connection(server, client):
    server.answers = [PING, b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{}", answer(b"[]")]
    assert client.get("/x") == {}
    assert client.get("/y") == []


def test_errors_carry_the_engines_words(server, client):
    server.answers = [PING, answer(b'{"message":"No such container: x"}', "404 Not Found", JSON)]
    with pytest.raises(ApiError) as failure:
        client.get("/containers/x/json")
    assert failure.value.status == 404
    assert failure.value.message == "Error response from daemon: No such container: x"


def test_a_body_cut_short_is_an_error(server, client):
    cut = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\nConnection: close\r\n\r\n{}"
    server.answers = [PING, cut]
    with pytest.raises(ConnectionFailed):
        client.get("/x")


def test_streams_are_uploaded_in_chunks(server, client):
    server.answers = [PING, answer(b"")]
    content = iter([b"abc", b"", b"d" * 70000])
    assert client.decoded(client.upload("PUT", "/archive", {}, content)) is None
    assert server.requests[1][2] == b"abc" + b"d" * 70000


def test_a_hijacked_connection_keeps_the_bytes_behind_the_head(server, client):
    head = b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nhello"
    server.answers = [PING, head]
    connection = client.begin_hijack("/containers/x/attach", {"stream": "1"}).head().connection
    assert connection.read() == b"hello"
    connection.stream.sendall(b"input")
    connection.stream.shutdown(socket.SHUT_WR)
    assert connection.read() == b"bye"
    connection.close()
    assert server.raw == b"input"


def test_nobody_at_the_address_is_told_in_dockers_words(tmp_path):
    client = EngineClient(Endpoint(f"unix://{tmp_path}/none.sock"))
    with pytest.raises(ConnectionFailed) as failure:
        client.get("/info")
    assert failure.value.message == (
        f"Cannot connect to the Docker daemon at unix://{tmp_path}/none.sock. "
        "Is the docker daemon running?"
    )


def test_an_address_of_an_unknown_kind_is_refused():
    with pytest.raises(ClientError, match="unable to parse docker host"):
        Endpoint("gopher://x")
