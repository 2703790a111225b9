"""Pulling from Debian's docker-registry: every kind of image, connection and authentication."""

import base64
import json
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.api import Api, ApiError
from tests.support.engine import BUSYBOX, Engine, busybox_archive
from tests.support.http_server import LocalServer, QuietHandler
from tests.support.layers import Layout, digest, entry, layer
from tests.support.needs import needs_program
from tests.support.registry import PASSWORD, USER, Registry, TokenServer, free_port, own_address
from tests.support.tls import CertificateAuthority

pytestmark = [needs_program("docker-registry"), needs_program("skopeo")]


@pytest.fixture(scope="module")
def registry() -> Iterator[Registry]:
    with Registry() as running:
        yield running


def busybox(*extra: bytes, architecture: str = "amd64") -> Layout:
    """A layout with busybox and more layers, named `made`."""
    layout = Layout()
    layout.name(layout.image([busybox_archive(), *extra], architecture=architecture), "made")
    return layout


def large(name: str) -> Layout:
    """A layout of one large layer that no other image has."""
    program = BUSYBOX.read_bytes()
    single = layer(entry("bin/"), entry("bin/busybox", program, mode=0o755), entry(name, b"x"))
    layout = Layout()
    layout.name(layout.image([single]), "made")
    return layout


def runs(engine: Engine, name: str, path: str = "/bin/busybox") -> None:
    command = ("/bin/busybox", "ls", path)
    done = engine.docker("run", "--rm", "--network", "none", name, *command)
    assert done.stdout == f"{path}\n"


def credentials(engine: Engine, address: str, password: str = PASSWORD, user: str = USER) -> None:
    """What `docker login` leaves behind."""
    directory = engine.root / "docker-config"
    directory.mkdir(exist_ok=True)
    pair = base64.b64encode(f"{user}:{password}".encode()).decode()
    (directory / "config.json").write_text(json.dumps({"auths": {address: {"auth": pair}}}))


@pytest.fixture
def logged_out(engine: Engine) -> Iterator[None]:
    yield
    shutil.rmtree(engine.root / "docker-config", ignore_errors=True)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("oci-gzip", ("--format", "oci")),
        ("schema2", ("--format", "v2s2")),
        ("zstd", ("--format", "oci", "--dest-compress-format", "zstd")),
        ("plain", ("--format", "oci", "--dest-decompress")),
    ],
)
def test_an_image_that_skopeo_pushed_is_pulled_and_runs(
    engine: Engine, registry: Registry, kind: str, options: tuple[str, ...]
) -> None:
    above = layer(entry(f"only-{kind}", b"x"))
    name = registry.copy(busybox(above), f"{kind}:1", *options)
    shown = engine.docker("pull", name).stdout
    wanted = registry.request(
        "HEAD", f"/v2/{kind}/manifests/1",
        Accept="application/vnd.oci.image.manifest.v1+json, "
        "application/vnd.docker.distribution.manifest.v2+json",
    )[1]["Docker-Content-Digest"]  # fmt: skip
    assert f"Digest: {wanted}" in shown
    assert f"Status: Downloaded newer image for {name}" in shown
    runs(engine, name, f"/only-{kind}")
    found = json.loads(engine.docker("inspect", name).stdout)[0]
    assert found["RepoDigests"] == [f"{name.rpartition(':')[0]}@{wanted}"]
    assert "Status: Image is up to date" in engine.docker("pull", name).stdout
    by_digest = f"{name.rpartition(':')[0]}@{wanted}"
    engine.docker("rmi", name)
    engine.docker("pull", by_digest)
    runs(engine, by_digest)
    engine.docker("rmi", by_digest)


def test_the_image_of_an_index_is_the_one_for_the_platform(
    engine: Engine, registry: Registry
) -> None:
    entries = []
    for architecture in ("arm64", "amd64"):
        layout = busybox(layer(entry(architecture, b"x")), architecture=architecture)
        registry.copy(layout, f"many:{architecture}", "--format", "oci")
        described = dict(layout.manifests[0])
        described.pop("annotations")
        status, headers, body = registry.request(
            "GET", f"/v2/many/manifests/{architecture}",
            Accept="application/vnd.oci.image.manifest.v1+json",
        )  # fmt: skip
        assert status == 200
        described |= {"digest": headers["Docker-Content-Digest"], "size": len(body)}
        entries.append(described)
    index = registry.put_index("many", "latest", entries)
    name = f"{registry.address}/many"
    assert f"Digest: {digest(index)}" in engine.docker("pull", name).stdout
    runs(engine, name, "/amd64")
    own = engine.docker("inspect", "-f", "{{.Id}}", name).stdout
    engine.docker("pull", "--platform", "linux/arm64", name)
    shown = json.loads(engine.docker("inspect", name).stdout)[0]
    assert shown["Architecture"] == "arm64"
    assert shown["RepoDigests"] == [f"{name}@{digest(index)}"]
    done = engine.docker("pull", "--platform", "linux/s390x", name, check=False)
    assert "no matching manifest for linux/s390x in the manifest list entries" in done.stderr
    engine.docker("pull", name)
    assert engine.docker("inspect", "-f", "{{.Id}}", name).stdout == own
    engine.docker("rmi", name)


def test_what_is_not_there_is_told_as_docker_tells_it(engine: Engine, registry: Registry) -> None:
    registry.copy(busybox(), "known:1")
    for name, words in (
        ("known:2", f"manifest for {registry.address}/known:2 not found: manifest unknown"),
        ("unknown:1", "not found"),
        (f"known@sha256:{'0' * 64}", "not found: manifest unknown"),
    ):
        done = engine.docker("pull", f"{registry.address}/{name}", check=False)
        assert done.returncode == 1
        assert words in done.stderr, done.stderr
        assert len(done.stderr.splitlines()) == 1
    with pytest.raises(ApiError) as raised:
        api = Api(engine.socket)
        api.post(f"/images/create?fromImage={registry.address}/known&tag=2")
    assert raised.value.status == 404
    dead = f"127.0.0.1:{free_port()}"
    done = engine.docker("pull", f"{dead}/x", check=False)
    assert f"dial tcp {dead}: connect: connection refused" in done.stderr
    assert engine.docker("images", "-q", "unknown").stdout == ""


def test_a_digest_counts_more_than_the_tag_before_it(engine: Engine, registry: Registry) -> None:
    for number in range(2):
        above = layer(entry(f"pinned-{number}", b"x"))
        registry.copy(busybox(above), f"pinned:{number}", "--format", "oci")
    kind = "application/vnd.oci.image.manifest.v1+json"
    _, headers, _ = registry.request("HEAD", "/v2/pinned/manifests/0", Accept=kind)
    wanted = headers["Docker-Content-Digest"]
    name = f"{registry.address}/pinned"
    engine.docker("pull", f"{name}:1@{wanted}")
    runs(engine, f"{name}@{wanted}", "/pinned-0")
    runs(engine, f"{name}:1@{wanted}", "/pinned-0")
    assert engine.docker("images", "-q", f"{name}:1").stdout == ""
    engine.docker("rmi", f"{name}@{wanted}")


def test_what_is_no_image_is_refused(engine: Engine, registry: Registry) -> None:
    layout = Layout()
    config = layout.add(b"{}", "application/vnd.cncf.helm.config.v1+json")
    blob = layout.add(b"chart", "application/vnd.cncf.helm.chart.content.v1.tar+gzip")
    kind = "application/vnd.oci.image.manifest.v1+json"
    for descriptor in (config, blob):
        status, headers, _ = registry.request("POST", "/v2/chart/blobs/uploads/", b"")
        assert status == 202
        place = headers["Location"].partition(registry.address)[2]
        registry.request("PUT", f"{place}&digest={descriptor['digest']}",
                         layout.blobs[descriptor["digest"]],
                         **{"Content-Type": "application/octet-stream"})  # fmt: skip
    manifest = json.dumps({"schemaVersion": 2, "mediaType": kind, "config": config,
                           "layers": [blob]}).encode()  # fmt: skip
    status, _, body = registry.request(
        "PUT", "/v2/chart/manifests/1", manifest, **{"Content-Type": kind}
    )
    assert status == 201, body
    done = engine.docker("pull", f"{registry.address}/chart:1", check=False)
    assert "application/vnd.cncf.helm.config.v1+json" in done.stderr
    assert done.returncode == 1


def test_a_registry_that_sends_other_content_is_found_out(
    engine: Engine, registry: Registry
) -> None:
    name = registry.copy(busybox(layer(entry("to-be-changed", bytes(5000)))), "changed:1")
    blobs = [path for path in registry.directory.rglob("data/docker/registry/v2/blobs/*/*/*/data")
             if path.stat().st_size < 3000 and path.read_bytes()[:2] == b"\x1f\x8b"]  # fmt: skip
    assert blobs
    for path in blobs:
        content = bytearray(path.read_bytes())
        content[-9] ^= 1
        path.write_bytes(content)
    done = engine.docker("pull", name, check=False)
    assert done.returncode == 1
    assert "filesystem layer verification failed for digest sha256:" in done.stderr
    assert engine.docker("images", "-q", "changed").stdout == ""


@pytest.mark.usefixtures("logged_out")
def test_a_password_is_sent_where_one_is_asked_for(engine: Engine) -> None:
    with Registry(password=True) as private:
        name = private.copy(busybox(), "secret:1")
        done = engine.docker("pull", name, check=False)
        assert "no basic auth credentials" in done.stderr
        credentials(engine, private.address, "wrong")
        done = engine.docker("pull", name, check=False)
        assert "unauthorized: authentication required" in done.stderr
        credentials(engine, private.address)
        engine.docker("pull", name)
        runs(engine, name)
        engine.docker("rmi", name)
        header = base64.urlsafe_b64encode(
            json.dumps({"username": USER, "password": PASSWORD}).encode()
        ).decode()
        api = Api(engine.socket)
        path = f"/images/create?fromImage={private.address}/secret&tag=1"
        assert b"Downloaded newer image" in api.raw(
            "POST", path, headers={"X-Registry-Auth": header}
        )
        with pytest.raises(ApiError) as raised:
            api.raw("POST", path, headers={"X-Registry-Auth": "no base64 of JSON"})
        assert "no basic auth credentials" in raised.value.message  # as if there were none
        engine.docker("rmi", name)


@pytest.mark.usefixtures("logged_out")
def test_a_token_is_fetched_where_one_is_asked_for(engine: Engine, tmp_path: Path) -> None:
    with TokenServer(tmp_path) as tokens, Registry(tokens=tokens) as private:
        public = private.copy(busybox(), "public/image:1")
        secret = private.copy(busybox(layer(entry("secret", b"x"))), "own/image:1")
        engine.docker("pull", public)
        runs(engine, public)
        done = engine.docker("pull", secret, check=False)
        assert f"pull access denied for {secret.rpartition(':')[0]}, repository does not exist" in (
            done.stderr
        )
        credentials(engine, private.address, "wrong")
        done = engine.docker("pull", secret, check=False)
        assert "incorrect username or password" in done.stderr
        credentials(engine, private.address)
        engine.docker("pull", secret)
        runs(engine, secret, "/secret")
        assert tokens.asked[-1]["scope"] == ["repository:own/image:pull"]
        assert tokens.asked[-1]["service"] == [tokens.service]
        engine.docker("rmi", secret)
        (engine.root / "docker-config/config.json").write_text(json.dumps({"auths": {
            private.address: {"identitytoken": tokens.refresh, "auth": ""}}}))  # fmt: skip
        engine.docker("pull", secret)
        assert tokens.asked[-1]["grant_type"] == ["refresh_token"]
        engine.docker("rmi", secret, public)


@pytest.fixture(scope="module")
def tls(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Registry, CertificateAuthority]]:
    """A registry behind TLS at an address that is not on loopback."""
    address = own_address()
    if not address:
        pytest.skip("needs an address that is not on loopback")
    authority = CertificateAuthority(tmp_path_factory.mktemp("tls"))
    with Registry(certificate=authority.issue("server", address), host=address) as running:
        running.copy(busybox(), "sealed:1")
        yield running, authority


def test_a_certificate_that_nobody_knows_is_refused(
    engine: Engine, tls: tuple[Registry, CertificateAuthority]
) -> None:
    done = engine.docker("pull", f"{tls[0].address}/sealed:1", check=False)
    assert done.returncode == 1
    assert "tls: failed to verify certificate: x509:" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_plain_http_is_refused_off_loopback(engine: Engine) -> None:
    address = own_address()
    if not address:
        pytest.skip("needs an address that is not on loopback")
    with Registry(host=address) as plain:
        plain.copy(busybox(), "open:1")
        done = engine.docker("pull", f"{plain.address}/open:1", check=False)
        assert "server gave HTTP response to HTTPS client" in done.stderr
        with Engine("--insecure-registry", plain.address) as other:
            other.docker("pull", f"{plain.address}/open:1")
            runs(other, f"{plain.address}/open:1")


def test_an_insecure_registry_needs_no_known_certificate(
    tls: tuple[Registry, CertificateAuthority],
) -> None:
    with Engine("--insecure-registry", f"{tls[0].host}/32") as engine:
        engine.docker("pull", f"{tls[0].address}/sealed:1")
        runs(engine, f"{tls[0].address}/sealed:1")


def test_certificates_for_a_registry_lie_in_a_directory_of_its_name(
    engine: Engine, tls: tuple[Registry, CertificateAuthority]
) -> None:
    registry, authority = tls
    directory = engine.root / "certs.d" / registry.address
    directory.mkdir(parents=True)
    shutil.copy(authority.certificate, directory / "ca.crt")
    engine.docker("pull", f"{registry.address}/sealed:1")
    runs(engine, f"{registry.address}/sealed:1")
    engine.docker("rmi", f"{registry.address}/sealed:1")
    client = authority.issue("client", "me")
    shutil.copy(client.certificate, directory / "client.cert")
    done = engine.docker("pull", f"{registry.address}/sealed:1", check=False)
    assert "missing key client.key for client certificate" in done.stderr
    shutil.copy(client.key, directory / "client.key")
    engine.docker("pull", f"{registry.address}/sealed:1")
    engine.docker("rmi", f"{registry.address}/sealed:1")
    shutil.rmtree(directory)


def test_a_hosts_toml_names_mirrors_for_any_registry(
    engine: Engine, registry: Registry, tls: tuple[Registry, CertificateAuthority]
) -> None:
    registry.copy(busybox(layer(entry("mirrored", b"x"))), "library/mirrored:1")
    directory = engine.root / "certs.d" / "registry.example"
    directory.mkdir(parents=True)
    shutil.copy(tls[1].certificate, directory / "ca.pem")
    (directory / "hosts.toml").write_text(
        f'server = "http://127.0.0.1:{free_port()}"\n'
        f'[host."https://{tls[0].address}"]\nca = "ca.pem"\ncapabilities = ["pull", "resolve"]\n'
        f'[host."http://{registry.address}/v2/library"]\noverride_path = true\n'
        '[host."http://127.0.0.1:1"]\ncapabilities = ["push"]\n'
    )
    engine.docker("pull", "registry.example/mirrored:1")
    runs(engine, "registry.example/mirrored:1", "/mirrored")
    assert "/v2/library/mirrored/manifests/1?ns=registry.example" in registry.log()
    engine.docker("pull", "registry.example/sealed:1")
    engine.docker("rmi", "registry.example/sealed:1", "registry.example/mirrored:1")
    (directory / "hosts.toml").write_text("[host]\nnonsense = 1\n")
    done = engine.docker("pull", "registry.example/x:1", check=False)
    assert f"{directory}/hosts.toml: host nonsense: no table" in done.stderr


def test_a_registry_mirror_stands_in_for_the_default_registry(registry: Registry) -> None:
    registry.copy(busybox(), "library/mirrored:1")
    with Engine("--registry-mirror", f"http://{registry.address}") as engine:
        shown = engine.docker("pull", "mirrored:1").stdout
        assert "1: Pulling from library/mirrored" in shown
        assert "docker.io/library/mirrored:1" in shown
        runs(engine, "mirrored:1")


def test_all_tags_of_a_repository_are_pulled(engine: Engine, registry: Registry) -> None:
    for number in range(3):
        above = layer(entry(f"number-{number}", b"x"))
        registry.copy(busybox(above), f"several:{number}")
    engine.docker("pull", "-a", f"{registry.address}/several")
    shown = engine.docker("images", "--format", "{{.Tag}}", f"{registry.address}/several").stdout
    assert sorted(shown.split()) == ["0", "1", "2"]
    engine.docker("rmi", *(f"{registry.address}/several:{number}" for number in range(3)))


class SlowRegistry(LocalServer):
    """Stands before a registry: sends blobs slowly, breaks connections, and counts bytes."""

    def __init__(self, registry: Registry, *, limit: int = 0, delay: float = 0.0) -> None:
        """A large blob ends after `limit` bytes unless it is 0; `delay` seconds between pieces."""
        self.limit, self.delay = limit, delay
        self.ranges: list[str] = []
        self.begun = threading.Event()
        self.broken = threading.Event()
        slow = self

        class Handler(QuietHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                wanted = {
                    key: self.headers[key] for key in ("Accept", "Range") if self.headers[key]
                }
                status, headers, body = registry.request("GET", self.path, **wanted)
                self.send_response(status)
                for name in ("Content-Type", "Docker-Content-Digest", "Content-Range"):
                    if name in headers:
                        self.send_header(name, headers[name])
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if "/blobs/" not in self.path or len(body) < 100_000:
                    self.wfile.write(body)
                    return
                slow.ranges.append(self.headers.get("Range", ""))
                self._send_slowly(body)

            def _send_slowly(self, body: bytes) -> None:
                offset = 0
                while offset < len(body):
                    if slow.limit and offset >= slow.limit:
                        self.close_connection = True
                        return
                    # Once begun it trickles, so that what was sent is not all on its way.
                    step = 500 if slow.delay and offset >= 300_000 else 50_000
                    try:
                        self.wfile.write(body[offset : offset + step])
                    except ConnectionError:
                        slow.broken.set()
                        self.close_connection = True
                        return
                    offset += step
                    if offset >= 300_000:
                        slow.begun.set()
                    time.sleep(slow.delay)

        super().__init__(Handler)


def test_a_download_that_breaks_off_goes_on_where_it_was(
    engine: Engine, registry: Registry
) -> None:
    registry.copy(large("broken"), "broken:1", "--dest-decompress", "--format", "oci")
    with SlowRegistry(registry, limit=400_000) as slow:
        shown = engine.docker("pull", f"{slow.address}/broken:1").stdout
        assert "Retrying in" in shown
        assert slow.ranges[:2] == ["", "bytes=400000-"]
        runs(engine, f"{slow.address}/broken:1")
        engine.docker("rmi", f"{slow.address}/broken:1")


@pytest.mark.parametrize("end", ["cancelled", "killed"])
def test_a_pull_that_was_ended_goes_on_where_it_was(registry: Registry, end: str) -> None:
    registry.copy(large("ended"), "ended:1", "--dest-decompress", "--format", "oci")
    with Engine() as engine, SlowRegistry(registry, delay=0.01) as slow:
        with engine.spawn("pull", f"{slow.address}/ended:1") as pull:
            assert slow.begun.wait(20)
            if end == "killed":
                engine.kill()
            else:
                pull.terminate()
            pull.communicate(timeout=20)
        assert slow.broken.wait(20)
        if end == "killed":
            engine.start()
        slow.delay = 0.0
        engine.docker("pull", f"{slow.address}/ended:1")
        assert slow.ranges[0] == ""
        assert int(slow.ranges[1].removeprefix("bytes=").removesuffix("-")) >= 200_000
        runs(engine, f"{slow.address}/ended:1")
        assert list((engine.root / "data/partial").iterdir()) == []


def test_two_pulls_of_one_image_share_the_download(registry: Registry) -> None:
    registry.copy(large("shared"), "shared:1", "--dest-decompress", "--format", "oci")
    with Engine() as engine, SlowRegistry(registry, delay=0.02) as slow:
        pulls = [engine.spawn("pull", f"{slow.address}/shared:1") for _ in range(3)]
        assert slow.begun.wait(20)
        slow.delay = 0.0
        for pull in pulls:
            pull.communicate(timeout=60)
            assert pull.returncode == 0
        assert slow.ranges == [""]
        assert list((engine.root / "data/partial").iterdir()) == []


def test_progress_is_what_docker_prints(engine: Engine, registry: Registry) -> None:
    registry.copy(busybox(layer(entry("progress", b"x"))), "progress:1")
    lines = [json.loads(line) for line in Api(engine.socket).raw(
        "POST", f"/images/create?fromImage={registry.address}/progress&tag=1").splitlines()
    ]  # fmt: skip
    assert lines[0] == {"status": "Pulling from progress", "id": "1"}
    last = lines[-4]["id"] if "id" in lines[-4] else lines[-3]["id"]
    statuses = [line["status"] for line in lines if line.get("id") == last]
    order = ["Pulling fs layer", "Verifying Checksum", "Download complete", "Extracting",
             "Pull complete"]  # fmt: skip
    assert [status for status in order if status in statuses] == order
    extracting = next(line for line in lines if line["status"] == "Extracting")
    assert extracting["progress"].startswith("[")
    assert lines[-2]["status"].startswith("Digest: sha256:")
    assert lines[-1]["status"].startswith("Status: Downloaded newer image for ")
    engine.docker("rmi", f"{registry.address}/progress:1")


def test_the_client_skopeo_speaks_to_the_engine_itself(engine: Engine, registry: Registry) -> None:
    name = registry.copy(busybox(), "taken:1")
    engine.docker("pull", name)
    target = engine.root / "taken.tar"
    subprocess.run(["skopeo", "copy", "--src-daemon-host", f"unix://{engine.socket}",
                    f"docker-daemon:{name}", f"docker-archive:{target}"], check=True,
                   capture_output=True)  # fmt: skip
    assert target.stat().st_size > 500_000
    engine.docker("rmi", name)
