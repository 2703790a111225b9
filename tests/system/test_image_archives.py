"""Images as archives: to and from dockerd, skopeo and podman; imported and committed."""

import io
import json
import subprocess
import tarfile
import tempfile
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.support.api import Api, ApiError
from tests.support.dockerd import Dockerd
from tests.support.engine import BUSYBOX, Engine, busybox_archive
from tests.support.layers import Layout, digest, docker_archive, entry, layer, squeeze
from tests.support.needs import needs_program

PROGRAM = [entry("bin/"), entry("bin/busybox", BUSYBOX.read_bytes() if BUSYBOX.exists() else b"",
                                mode=0o755)]  # fmt: skip
COMMAND = ("--network", "none")


@pytest.fixture(scope="module")
def dockerd(engine_ready: None) -> Iterator[Dockerd]:
    with Dockerd() as running:
        yield running


def made(engine: Engine, name: str) -> None:
    """An image with plain layers, one of them committed here."""
    base = docker_archive([layer(*PROGRAM), layer(entry("lower", b"x"))], [f"{name}-base"])
    engine.docker("load", stdin=base)
    engine.docker("run", "--name", "maker", *COMMAND, f"{name}-base",
                  "/bin/busybox", "touch", "/upper")  # fmt: skip
    engine.docker("commit", "--change", 'CMD ["/bin/busybox","ls"]', "maker", name)
    engine.docker("rm", "maker")


def loaded(engine: Engine, name: str) -> None:
    """An image with compressed layers and a manifest."""
    layout = Layout()
    config = {"Cmd": ["/bin/busybox", "ls"]}
    image = layout.image([layer(*PROGRAM), layer(entry("lower", b"x"), entry("upper", b"x"))],
                         config=config)  # fmt: skip
    layout.name(image, name)
    engine.docker("load", stdin=layout.archive())


KINDS = {"made": made, "loaded": loaded}


def id_of(engine: Engine, name: str) -> str:
    return engine.docker("inspect", "-f", "{{.Id}}", name).stdout.strip()


@needs_program("dockerd")
@pytest.mark.parametrize("kind", KINDS)
def test_dockerd_loads_what_is_saved_here_and_the_reverse(
    engine: Engine, dockerd: Dockerd, kind: str
) -> None:
    name = f"for-dockerd/{kind}:1"
    KINDS[kind](engine, name)
    saved = engine.docker_bytes("save", name)
    assert dockerd.docker("load", stdin=saved).stdout.decode() == f"Loaded image: {name}\n"
    shown = json.loads(dockerd.docker("inspect", name).stdout)[0]
    assert shown["Id"] == id_of(engine, name)
    ran = dockerd.docker("run", "--rm", "--network", "none", name).stdout.decode()
    assert {"bin", "lower", "upper"} <= set(ran.split())
    back = dockerd.docker("save", name).stdout
    engine.docker("rmi", name)
    assert engine.docker("load", stdin=back).stdout == f"Loaded image: {name}\n"
    assert id_of(engine, name) == shown["Id"]
    assert "upper" in engine.docker("run", "--rm", *COMMAND, name).stdout
    dockerd.docker("rmi", name)
    engine.docker("rmi", name)


@needs_program("skopeo")
@pytest.mark.parametrize("kind", KINDS)
def test_skopeo_reads_archives_and_copies_to_and_from_the_engine(
    engine: Engine, tmp_path: Path, kind: str
) -> None:
    name = f"for-skopeo/{kind}:1"
    KINDS[kind](engine, name)

    def skopeo(*words: str) -> None:
        done = subprocess.run(["skopeo", "copy", *words], capture_output=True, text=True,
                              timeout=60, check=False)  # fmt: skip
        assert done.returncode == 0, done.stderr

    host = f"unix://{engine.socket}"
    saved = tmp_path / "saved.tar"
    saved.write_bytes(engine.docker_bytes("save", name))
    skopeo(f"docker-archive:{saved}", f"oci:{tmp_path}/one:1")
    skopeo(f"oci-archive:{saved}", f"oci:{tmp_path}/two:1")
    skopeo("--src-daemon-host", host, f"docker-daemon:{name}", f"oci:{tmp_path}/three:1")
    before = id_of(engine, name)
    engine.docker("rmi", name)
    skopeo("--dest-daemon-host", host, f"oci:{tmp_path}/three:1", f"docker-daemon:{name}")
    assert "upper" in engine.docker("run", "--rm", *COMMAND, name).stdout
    assert json.loads(engine.docker("inspect", name).stdout)[0]["RootFS"]["Layers"]
    skopeo("--dest-daemon-host", host, f"docker-archive:{saved}", f"docker-daemon:{name}")
    assert id_of(engine, name) == before
    engine.docker("rmi", name)
    engine.docker("image", "prune", "-f")


@pytest.fixture
def place() -> Iterator[str]:
    """A directory with a short name, which podman wants."""
    with tempfile.TemporaryDirectory(prefix="wherry-podman-") as made_here:
        yield made_here


@needs_program("podman")
@pytest.mark.parametrize("kind", KINDS)
def test_podman_loads_what_is_saved_here_and_the_reverse(
    engine: Engine, tmp_path: Path, place: str, kind: str
) -> None:
    name = f"docker.io/for-podman/{kind}:1"
    KINDS[kind](engine, name)
    (tmp_path / "saved.tar").write_bytes(engine.docker_bytes("save", name))

    def podman(*words: str) -> str:
        command = ["podman", "--root", f"{place}/root", "--runroot", f"{place}/run",
                   "--storage-driver", "vfs", *words]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert name in podman("load", "-i", f"{tmp_path}/saved.tar")
    for number, form in enumerate(("docker-archive", "oci-archive")):
        podman("save", "--format", form, "-o", f"{tmp_path}/{number}.tar", name)
        engine.docker("load", stdin=(tmp_path / f"{number}.tar").read_bytes())
        assert "upper" in engine.docker("run", "--rm", *COMMAND, name).stdout
    engine.docker("rmi", name)
    engine.docker("image", "prune", "-f")


def test_several_images_share_their_layers_in_one_archive(engine: Engine) -> None:
    below = layer(*PROGRAM)
    for number in range(2):
        above = layer(entry(f"number-{number}", b"x"))
        engine.docker("load", stdin=docker_archive([below, above], [f"many:{number}", "many:last"]))
    archive = engine.docker_bytes("save", "many")
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        names = opened.getnames()
        listed = json.load(opened.extractfile("manifest.json") or io.BytesIO())
    assert len(names) == len(set(names))
    assert sorted(tag for item in listed for tag in item["RepoTags"]) == [
        "many:0", "many:1", "many:last",
    ]  # fmt: skip
    two = engine.docker_bytes("save", "many:0", "busybox")
    engine.docker("rmi", "many:0", "many:1", "many:last")
    shown = engine.docker("load", stdin=squeeze(two)).stdout
    assert shown == "Loaded image: many:0\nLoaded image: busybox:latest\n"
    engine.docker("rmi", "many:0")
    done = engine.docker("save", "nothing-here", check=False)
    assert "No such image: nothing-here" in done.stderr


def test_an_image_without_a_name_is_saved_and_loaded_by_its_id(engine: Engine) -> None:
    identifier = engine.docker("import", "-", stdin=busybox_archive()).stdout.strip()
    saved = engine.docker_bytes("save", identifier)
    engine.docker("rmi", identifier)
    assert engine.docker("load", stdin=saved).stdout == f"Loaded image ID: {identifier}\n"
    engine.docker("rmi", identifier)


def test_a_load_tells_how_far_it_is_unless_it_is_to_be_quiet(engine: Engine) -> None:
    archive = docker_archive([layer(entry("progress", bytes(300_000)))], ["told:1"])
    api = Api(engine.socket)

    def lines(query: str) -> list[dict[str, Any]]:
        body = api.raw("POST", f"/images/load?{query}", archive, "application/x-tar")
        return [json.loads(line) for line in body.splitlines()]

    assert lines("quiet=1") == [{"stream": "Loaded image: told:1\n"}]
    engine.docker("rmi", "told:1")
    told = lines("quiet=0")
    assert told[0]["status"] == "Loading layer"
    assert told[0]["id"] == digest(layer(entry("progress", bytes(300_000))))[7:19]
    assert told[-1] == {"stream": "Loaded image: told:1\n"}
    engine.docker("rmi", "told:1")


class _Files(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        content = busybox_archive() if self.path == "/root.tar" else b""
        self.send_response(200 if content else 404)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        return


def test_a_root_file_system_is_imported_from_a_url(engine: Engine) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Files)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        place = f"127.0.0.1:{server.server_port}"
        engine.docker("import", f"http://{place}/root.tar", "fetched:1")
        assert engine.docker("run", "--rm", *COMMAND, "fetched:1", "echo", "well").stdout
        row = engine.docker("history", "--format", "{{.Comment}}", "fetched:1").stdout
        assert row == f"Imported from http://{place}/root.tar\n"
        done = engine.docker("import", f"http://{place}/absent", check=False)
        assert f"failed to GET http://{place}/absent with status 404" in done.stderr
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    engine.docker("rmi", "fetched:1")


def test_an_import_takes_platform_message_and_changes(engine: Engine) -> None:
    engine.docker(
        "import", "--platform", "linux/arm/v7", "-m", "by hand", "-c", "ENV A=b", "-c",
        "EXPOSE 80", "-c", 'ENTRYPOINT ["/bin/sh"]', "-c", "LABEL x=y", "-", "told:1",
        stdin=busybox_archive(),
    )  # fmt: skip
    shown = json.loads(engine.docker("inspect", "told:1").stdout)[0]
    assert (shown["Architecture"], shown["Variant"], shown["Os"]) == ("arm", "v7", "linux")
    assert shown["Comment"] == "by hand"
    assert shown["Config"]["Env"] == ["A=b"]
    assert shown["Config"]["Entrypoint"] == ["/bin/sh"]
    assert shown["Config"]["ExposedPorts"] == {"80/tcp": {}}
    assert shown["Config"]["Labels"] == {"x": "y"}
    for words, message in (
        (("-c", "RUN x", "-", "bad:1"), "RUN is not a valid change command"),
        (("--platform", "windows/amd64", "-", "bad:1"), "operating system is not supported"),
        (("-", "Bad:1"), "must be lowercase"),
    ):
        done = engine.docker("import", *words, stdin=busybox_archive(), check=False)
        assert message in done.stderr, done.stderr
    assert engine.docker("images", "-q", "bad").stdout == ""
    engine.docker("rmi", "told:1")


def test_a_commit_takes_all_that_it_may_be_told(engine: Engine) -> None:
    engine.docker("run", "-d", "--name", "told", *COMMAND, "-e", "A=1", "busybox", "sleep", "60")
    engine.docker("commit", "-a", "Gulliver", "-m", "a voyage", "-c", "ENV B=2", "-c",
                  "WORKDIR /tmp", "told", "committed:1")  # fmt: skip
    shown = json.loads(engine.docker("inspect", "committed:1").stdout)[0]
    assert shown["Author"] == "Gulliver"
    assert shown["Comment"] == "a voyage"
    assert {"A=1", "B=2"} <= set(shown["Config"]["Env"])
    assert shown["Config"]["WorkingDir"] == "/tmp"
    assert shown["Config"]["Cmd"] == ["sleep", "60"]
    assert shown["Parent"] == id_of(engine, "busybox")
    api = Api(engine.socket)
    made = api.post("/commit?container=told&repo=committed&tag=2", {"Cmd": ["id"], "Env": ["C=3"]})
    shown = api.get(f"/images/{made['Id']}/json")
    assert shown["RepoTags"] == ["committed:2"]
    assert shown["Config"]["Cmd"] == ["id"]
    assert set(shown["Config"]["Env"]) >= {"A=1", "C=3"}
    rows = api.get("/images/committed:1/history")
    assert rows[0]["Tags"] == ["committed:1"]
    assert rows[1]["Id"] == id_of(engine, "busybox")
    with pytest.raises(ApiError) as raised:
        api.post("/commit?container=nobody")
    assert raised.value.status == 404
    engine.docker("rm", "-f", "told")
    engine.docker("rmi", "committed:1", "committed:2")


def test_a_commit_pauses_unless_it_is_told_not_to(engine: Engine) -> None:
    identifier = engine.docker("run", "-d", *COMMAND, "busybox", "sleep", "60").stdout.strip()
    api = Api(engine.socket)
    for pause in (0, 1):
        api.post(f"/commit?container={identifier}&pause={pause}")
        body = api.raw("GET", f"/events?since=1&until={time.time():.9f}")
        events = [json.loads(line) for line in body.splitlines()]
        actions = [item["Action"] for item in events if item["Actor"]["ID"] == identifier]
        assert (actions.count("pause"), actions.count("unpause")) == (pause, pause)
    engine.docker("rm", "-f", identifier)
    engine.docker("image", "prune", "-f")
