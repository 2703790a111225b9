"""Pushing to Debian's docker-registry: what it sends, what it leaves out, how it goes on."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.api import Api
from tests.support.credentials import log_in_by_file
from tests.support.cutting import CuttingProxy
from tests.support.engine import Engine, busybox_archive
from tests.support.layers import OCI_INDEX, Layout, digest, docker_archive, entry, layer
from tests.support.needs import needs_program
from tests.support.registry import PASSWORD, USER, Registry, TokenServer
from tests.support.sessions import SessionRegistry

pytestmark = [needs_program("docker-registry"), needs_program("skopeo")]
MANIFESTS = (
    "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, "
    "application/vnd.docker.distribution.manifest.v2+json"
)


@pytest.fixture(scope="module")
def registry() -> Iterator[Registry]:
    with Registry() as running:
        yield running


@pytest.fixture
def logged_out(engine: Engine) -> Iterator[None]:
    yield
    shutil.rmtree(engine.root / "docker-config", ignore_errors=True)


def load(engine: Engine, *extra: bytes, name: str) -> None:
    engine.docker("load", stdin=docker_archive([busybox_archive(), *extra], [name]))


def stored(registry: Registry, repository: str, tag: str) -> tuple[str, bytes]:
    """Digest and bytes of the manifest that the registry has."""
    status, headers, body = registry.request(
        "GET", f"/v2/{repository}/manifests/{tag}", Accept=MANIFESTS
    )
    assert status == 200, body
    return headers["Docker-Content-Digest"], body


def lines_of(engine: Engine, name: str, query: str) -> list[dict[str, object]]:
    body = Api(engine.socket).raw("POST", f"/images/{name}/push?{query}")
    return [json.loads(line) for line in body.splitlines()]


def test_what_is_pushed_is_what_is_pulled(engine: Engine, registry: Registry) -> None:
    name = f"{registry.address}/made:1"
    load(engine, layer(entry("above", b"x")), name=name)
    shown = engine.docker("push", name).stdout
    found, body = stored(registry, "made", "1")
    assert shown.startswith(f"The push refers to repository [{registry.address}/made]\n")
    assert shown.count(": Pushed\n") == 2
    assert f"1: digest: {found} size: {len(body)}" in shown
    manifest = json.loads(body)
    assert manifest["mediaType"] == "application/vnd.docker.distribution.manifest.v2+json"
    assert {item["mediaType"] for item in manifest["layers"]} == {
        "application/vnd.docker.image.rootfs.diff.tar.gzip"
    }
    assert Api(engine.socket).get(f"/images/{name}/json")["Descriptor"]["digest"] == found
    own = engine.docker("inspect", "-f", "{{.Id}} {{.RepoDigests}}", name).stdout
    assert own.split()[1] == f"[{registry.address}/made@{found}]"
    again = engine.docker("push", name).stdout
    assert again.count(": Layer already exists\n") == 2
    assert f"1: digest: {found}" in again
    with Engine() as other:
        other.docker("pull", name)
        assert other.docker("inspect", "-f", "{{.Id}} {{.RepoDigests}}", name).stdout == own
        command = ("run", "--rm", "--network", "none", name, "/bin/busybox", "ls", "/above")
        assert other.docker(*command).stdout == "/above\n"
    engine.docker("rmi", name)


def test_the_progress_is_docker_s(engine: Engine, registry: Registry) -> None:
    name = f"{registry.address}/progress:1"
    load(engine, layer(entry("progress", b"x")), name=name)
    lines = lines_of(engine, f"{registry.address}/progress", "tag=1")
    assert lines[0] == {"status": f"The push refers to repository [{registry.address}/progress]"}
    top = digest(layer(entry("progress", b"x")))[7:19]
    statuses = [line["status"] for line in lines if line.get("id") == top]
    assert list(dict.fromkeys(statuses)) == ["Preparing", "Pushing", "Pushed"]
    pushing = next(line for line in lines if line.get("status") == "Pushing")
    assert str(pushing["progress"]).startswith("[")
    found, body = stored(registry, "progress", "1")
    assert lines[-1]["aux"] == {"Tag": "1", "Digest": found, "Size": len(body)}
    assert lines[-2]["status"] == f"1: digest: {found} size: {len(body)}"
    engine.docker("rmi", name)


def test_a_pulled_image_leaves_with_its_manifest_to_the_byte(
    engine: Engine, registry: Registry
) -> None:
    layout = Layout()
    layout.name(layout.image([busybox_archive(), layer(entry("kept", b"x"))]), "made")
    source = registry.copy(layout, "kept:1", "--format", "oci")
    engine.docker("pull", source)
    name = f"{registry.address}/moved/kept:2"
    engine.docker("tag", source, name)
    shown = engine.docker("push", name).stdout
    # The lower layer is here with another compression: the registry took it over before.
    assert shown.count(": Mounted from kept\n") == 1
    assert shown.count(": Layer already exists\n") == 1
    assert stored(registry, "moved/kept", "2") == stored(registry, "kept", "1")
    engine.docker("rmi", source, name)


def test_all_tags_of_a_repository_are_pushed(engine: Engine, registry: Registry) -> None:
    names = [f"{registry.address}/several:{number}" for number in range(3)]
    for number, name in enumerate(names):
        load(engine, layer(entry(f"several-{number}", b"x")), name=name)
    shown = engine.docker("push", "-a", f"{registry.address}/several").stdout
    assert shown.count(": digest: sha256:") == 3
    tags = json.loads(registry.request("GET", "/v2/several/tags/list")[2])["tags"]
    assert sorted(tags) == ["0", "1", "2"]
    engine.docker("rmi", *names)


def test_what_is_not_here_is_told_as_docker_tells_it(engine: Engine, registry: Registry) -> None:
    name = f"{registry.address}/absent"
    done = engine.docker("push", f"{name}:1", check=False)
    assert done.returncode == 1
    assert done.stderr == f"An image does not exist locally with the tag: {name}\n"
    load(engine, name=f"{name}:2")
    done = engine.docker("push", f"{name}:1", check=False)
    assert done.stderr == f"tag does not exist: {name}:1\n"
    lines = lines_of(engine, f"{registry.address}/absent", "tag=1")
    assert lines[-1]["errorDetail"] == {"message": f"tag does not exist: {name}:1"}
    engine.docker("rmi", f"{name}:2")


@pytest.mark.usefixtures("logged_out")
def test_a_registry_that_wants_a_password_gets_it_or_refuses(engine: Engine) -> None:
    with Registry(password=True) as private:
        name = f"{private.address}/secret:1"
        load(engine, name=name)
        done = engine.docker("push", name, check=False)
        assert done.stderr.splitlines()[-1].endswith("no basic auth credentials")
        log_in_by_file(engine, private.address, "wrong")
        done = engine.docker("push", name, check=False)
        assert done.stderr.splitlines()[-1] == "unauthorized: authentication required"
        log_in_by_file(engine, private.address)
        assert "1: digest: sha256:" in engine.docker("push", name).stdout
        engine.docker("rmi", name)


@pytest.mark.usefixtures("logged_out")
def test_a_token_to_push_is_fetched(engine: Engine, tmp_path: Path) -> None:
    with TokenServer(tmp_path) as tokens, Registry(tokens=tokens) as private:
        name = f"{private.address}/own/image:1"
        load(engine, layer(entry("token", b"x")), name=name)
        done = engine.docker("push", name, check=False)
        assert done.stderr.splitlines()[-1] == (
            "denied: requested access to the resource is denied"
        )
        log_in_by_file(engine, private.address)
        engine.docker("push", name)
        assert tokens.asked[-1]["scope"] == ["repository:own/image:pull,push"]
        other = f"{private.address}/other/image:1"
        engine.docker("tag", name, other)
        assert engine.docker("push", other).stdout.count(": Mounted from own/image\n") == 2
        engine.docker("rmi", name, other)


def test_an_upload_that_is_cut_goes_on_where_the_registry_has_it(engine: Engine) -> None:
    with SessionRegistry(cut_after=300_000) as keeping:
        name = f"{keeping.address}/x:1"
        load(engine, name=name)
        assert "1: digest: sha256:" in engine.docker("push", name).stdout
        layers = json.loads(keeping.manifests["1"])["layers"]
        assert [item["digest"] in keeping.blobs for item in layers] == [True]
        first, second = keeping.ranges[:2]
        assert (first, second) == ("", f"300000-{layers[0]['size'] - 1}")
        engine.docker("rmi", name)


def test_an_upload_goes_on_after_the_daemon_was_killed() -> None:
    with SessionRegistry(cut_after=300_000, hold=True) as keeping, Engine() as engine:
        name = f"{keeping.address}/x:1"
        load(engine, name=name)
        with engine.spawn("push", name) as push:
            assert keeping.held.wait(20)
            engine.kill()
            push.communicate(timeout=20)
        keeping.go_on.set()
        engine.start()
        assert "1: digest: sha256:" in engine.docker("push", name).stdout
        layers = json.loads(keeping.manifests["1"])["layers"]
        assert keeping.ranges[:2] == ["", f"300000-{layers[0]['size'] - 1}"]


def test_an_upload_that_is_cut_begins_anew_where_the_session_is_gone(registry: Registry) -> None:
    with CuttingProxy(registry.port) as proxy, Engine() as engine:
        name = f"{proxy.address}/cut:1"
        load(engine, name=name)
        proxy.cut_after(300_000)
        shown = engine.docker("push", name).stdout
        assert proxy.cuts == 1
        assert f"1: digest: {stored(registry, 'cut', '1')[0]}" in shown


def test_a_push_that_is_cancelled_ends_at_once_and_can_be_repeated(registry: Registry) -> None:
    with CuttingProxy(registry.port) as proxy, Engine() as engine:
        name = f"{proxy.address}/cancelled:1"
        load(engine, layer(entry("cancelled", b"x")), name=name)
        proxy.stall_after(100_000)
        with engine.spawn("push", name) as push:
            assert proxy.stalled.wait(20)
            push.terminate()
            push.communicate(timeout=20)
        proxy.go_on()
        assert "1: digest: sha256:" in engine.docker("push", name).stdout


def test_a_platform_is_pushed_alone_and_an_index_whole(engine: Engine, registry: Registry) -> None:
    layout = Layout()
    images = [
        layout.image([layer(entry(architecture, b"x"))], architecture=architecture)
        for architecture in ("amd64", "arm64")
    ]
    top = layout.index(images)
    name = f"{registry.address}/index:1"
    layout.name(top, name)
    engine.docker("load", stdin=layout.archive())
    assert f"1: digest: {top['digest']}" in engine.docker("push", name).stdout
    assert stored(registry, "index", "1")[0] == top["digest"]
    for image in images:
        assert stored(registry, "index", image["digest"])[0] == image["digest"]
    engine.docker("tag", name, f"{registry.address}/index:arm")
    shown = engine.docker("push", "--platform", "linux/arm64", f"{registry.address}/index:arm")
    assert f"arm: digest: {images[1]['digest']}" in shown.stdout
    alone = f"{registry.address}/index@{images[1]['digest']}"
    assert engine.docker("inspect", "-f", "{{.Architecture}}", alone).stdout == "arm64\n"
    done = engine.docker("push", "--platform", "linux/s390x", name, check=False)
    assert "does not provide the specified platform (linux/s390x)" in done.stderr
    engine.docker("rmi", name, f"{registry.address}/index:arm")


def test_of_an_index_that_is_here_in_part_the_part_is_pushed(
    engine: Engine, registry: Registry
) -> None:
    layout = Layout()
    images = [
        layout.image([layer(entry(f"part-{architecture}", b"x"))], architecture=architecture)
        for architecture in ("amd64", "arm64")
    ]
    layout.name(layout.index(images), "made")
    source = registry.copy(layout, "part:1", "--all", "--format", "oci")
    index = json.loads(stored(registry, "part", "1")[1])
    assert index["mediaType"] == OCI_INDEX
    engine.docker("pull", source)
    again = f"{registry.address}/part:2"
    engine.docker("tag", source, again)
    engine.docker("push", again)
    assert stored(registry, "part", "2") == stored(registry, "part", "1")  # the rest is there
    name = f"{registry.address}/elsewhere/part:2"
    engine.docker("tag", source, name)
    lines = lines_of(engine, f"{registry.address}/elsewhere/part", "tag=2")
    notes = [line["aux"] for line in lines if "aux" in line]
    assert notes[0]["manifestPushedInsteadOfIndex"] is True  # type: ignore[index]
    assert stored(registry, "elsewhere/part", "2")[0] == index["manifests"][0]["digest"]
    engine.docker("rmi", source, again, name)


def test_skopeo_reads_what_was_pushed(engine: Engine, registry: Registry, tmp_path: Path) -> None:
    name = f"{registry.address}/read:1"
    load(engine, layer(entry("read", b"x")), name=name)
    engine.docker("push", name)
    subprocess.run(
        ["skopeo", "copy", "--src-tls-verify=false", "--src-creds", f"{USER}:{PASSWORD}",
         f"docker://{name}", f"oci:{tmp_path}/read:1"],
        check=True, capture_output=True,
    )  # fmt: skip
    engine.docker("rmi", name)
