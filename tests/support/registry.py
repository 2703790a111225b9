"""Debian's docker-registry on a port of its own, with every kind of authentication."""

import base64
import json
import secrets
import socket
import ssl
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.support.http_server import LocalServer, QuietHandler
from tests.support.layers import Layout
from tests.support.patience import patience
from tests.support.tls import Certificate, CertificateAuthority

USER, PASSWORD = "gulliver", "yahoo:%/ß"


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def own_address() -> str:
    """An address of this machine that is not on loopback, empty if it has none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.250", 9))
        except OSError:
            return ""
        address = str(probe.getsockname()[0])
    return "" if address.startswith("127.") else address


class Registry:
    """One registry; to be used as a context."""

    def __init__(
        self, *, password: bool = False, tokens: "TokenServer | None" = None,
        certificate: Certificate | None = None, host: str = "127.0.0.1", upstream: str = "",
    ) -> None:  # fmt: skip
        self.directory = Path(tempfile.mkdtemp(prefix="wherry-registry-"))
        self.host = host
        self.port = free_port()
        self.address = f"{host}:{self.port}"
        self._scheme = "https" if certificate else "http"
        self._config: dict[str, Any] = {
            "version": "0.1", "log": {"level": "info", "accesslog": {"disabled": False}},
            "storage": {"filesystem": {"rootdirectory": f"{self.directory}/data"},
                        "delete": {"enabled": True}},
            "http": {"addr": f"{host}:{self.port}"},
        }  # fmt: skip
        if certificate:
            self._config["http"]["tls"] = {
                "certificate": certificate.certificate, "key": certificate.key,
            }  # fmt: skip
        if password:
            path = self.directory / "htpasswd"
            path.write_text(f"{USER}:{_bcrypt(PASSWORD)}\n")
            self._config["auth"] = {"htpasswd": {"realm": "test", "path": str(path)}}
        if tokens:
            self._config["auth"] = {"token": {
                "realm": tokens.url, "service": tokens.service, "issuer": tokens.issuer,
                "rootcertbundle": tokens.certificate,
            }}  # fmt: skip
        if upstream:
            self._config["proxy"] = {"remoteurl": upstream}
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Registry":
        config = self.directory / "config.yml"
        config.write_text(json.dumps(self._config))  # JSON is YAML
        with (self.directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                ["docker-registry", "serve", str(config)], stdout=log, stderr=log
            )
        deadline = time.monotonic() + patience(20)
        while True:
            with socket.socket() as probe:
                if probe.connect_ex((self.host, self.port)) == 0:
                    return self
            assert self._process.poll() is None, self.log()
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.02)

    def __exit__(self, *exception: object) -> None:
        assert self._process
        self._process.terminate()
        self._process.wait(20)
        subprocess.run(["rm", "-rf", str(self.directory)], check=True)

    def log(self) -> str:
        """What the registry wrote."""
        return (self.directory / "log").read_text()

    def copy(self, layout: Layout, name: str, *options: str, tag: str = "made") -> str:
        """Pushes an image of a layout by skopeo; returns its reference."""
        with tempfile.TemporaryDirectory() as directory:
            source = layout.write(Path(directory))
            self.skopeo("copy", *options, "--dest-tls-verify=false", "--dest-creds",
                        f"{USER}:{PASSWORD}", f"oci:{source}:{tag}",
                        f"docker://{self.address}/{name}")  # fmt: skip
        return f"{self.address}/{name}"

    def skopeo(self, *words: str) -> str:
        """Runs skopeo."""
        done = subprocess.run(["skopeo", *words], capture_output=True, text=True, timeout=60,
                              check=False)  # fmt: skip
        assert done.returncode == 0, f"{words}: {done.stderr}\n{self.log()[-2000:]}"
        return done.stdout

    def request(
        self, method: str, path: str, data: bytes | None = None, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        """A request to the registry itself."""
        request = urllib.request.Request(
            f"{self._scheme}://{self.address}{path}", data, headers, method=method
        )
        context = ssl._create_unverified_context() if self._scheme == "https" else None
        try:
            with urllib.request.urlopen(request, timeout=20, context=context) as answer:
                return answer.status, dict(answer.headers), answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, dict(error.headers), error.read()

    def put_index(self, repository: str, tag: str, manifests: Sequence[dict[str, Any]]) -> bytes:
        """Stores an index of manifests that are in the repository already; returns it."""
        kind = "application/vnd.oci.image.index.v1+json"
        data = json.dumps(
            {"schemaVersion": 2, "mediaType": kind, "manifests": list(manifests)}
        ).encode()
        status, _, body = self.request(
            "PUT", f"/v2/{repository}/manifests/{tag}", data, **{"Content-Type": kind}
        )
        assert status == 201, body
        return data


class TokenServer(LocalServer):
    """Gives out signed tokens as the specification of Docker's token authentication says."""

    service, issuer = "test-registry", "test-issuer"

    def __init__(self, directory: Path) -> None:
        authority = CertificateAuthority(directory / "token")
        self.certificate = authority.certificate
        self._key = f"{directory}/token/ca-key.pem"
        self.asked: list[dict[str, list[str]]] = []
        self.refresh = secrets.token_hex(16)
        server = self

        class Handler(QuietHandler):
            def do_GET(self) -> None:
                query = parse_qs(urlsplit(self.path).query)
                server.asked.append(query)
                header = self.headers.get("Authorization", "")
                pair = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
                if header and header != f"Basic {pair}":
                    self._answer(401, {"details": "incorrect username or password"})
                    return
                answer = {"token": server.token(query, trusted=bool(header))}
                if query.get("offline_token"):
                    answer["refresh_token"] = server.refresh
                self._answer(200, answer)

            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                form = parse_qs(self.rfile.read(length).decode())
                server.asked.append(form)
                if form["refresh_token"] != [server.refresh]:
                    self._answer(401, {"details": "bad refresh token"})
                    return
                form["scope"] = form["scope"][0].split()
                self._answer(200, {"access_token": server.token(form, trusted=True)})

            def _answer(self, status: int, value: dict[str, str]) -> None:
                data = json.dumps(value).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

        super().__init__(Handler)
        self.url = f"http://{self.address}/token"

    def token(self, query: dict[str, list[str]], *, trusted: bool) -> str:
        """A token for the scopes asked for: anybody may pull what is public, users do all."""
        access = []
        for scope in query.get("scope", ()):
            kind, _, rest = scope.partition(":")
            name, _, actions = rest.rpartition(":")
            allowed = actions.split(",") if trusted else ["pull"] if "public" in name else []
            access.append({"type": kind, "name": name, "actions": allowed})
        now = int(time.time())
        pem = Path(self.certificate).read_text()
        der = "".join(line for line in pem.splitlines() if "-----" not in line)
        header = {"typ": "JWT", "alg": "ES256", "x5c": [der]}
        claims = {
            "iss": self.issuer, "sub": USER, "aud": self.service, "exp": now + 300, "nbf": now - 30,
            "iat": now, "jti": secrets.token_hex(8), "access": access,
        }  # fmt: skip
        text = ".".join(_encode(json.dumps(part).encode()) for part in (header, claims))
        return f"{text}.{_encode(self._sign(text.encode()))}"

    def _sign(self, data: bytes) -> bytes:
        """r and s of ECDSA one after the other (RFC 7518, 3.4), out of openssl's DER."""
        der = subprocess.run(["openssl", "dgst", "-sha256", "-sign", self._key], input=data,
                             capture_output=True, check=True).stdout  # fmt: skip
        numbers, position = [], 2
        for _ in range(2):
            length = der[position + 1]
            numbers.append(int.from_bytes(der[position + 2 : position + 2 + length]))
            position += 2 + length
        return b"".join(number.to_bytes(32) for number in numbers)


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _bcrypt(password: str) -> str:
    """crypt(3) knows bcrypt; perl, which every Debian has, offers it."""
    script = 'print crypt($ARGV[0], "\\$2y\\$05\\$" . "abcdefghijklmnopqrstuu")'
    return subprocess.run(
        ["perl", "-e", script, password], capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
