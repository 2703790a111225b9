"""Logging in to registries, and asking them about images without pulling."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.api import Api, ApiError
from tests.support.engine import Engine
from tests.support.layers import Layout, entry, layer
from tests.support.needs import needs_program
from tests.support.registry import PASSWORD, USER, Registry, TokenServer, free_port

pytestmark = [needs_program("docker-registry"), needs_program("skopeo")]


@pytest.fixture(scope="module")
def private() -> Iterator[Registry]:
    with Registry(password=True) as running:
        yield running


@pytest.fixture(autouse=True)
def logged_out(engine: Engine) -> Iterator[None]:
    yield
    shutil.rmtree(engine.root / "docker-config", ignore_errors=True)


def log_in(
    engine: Engine, address: str, password: str = PASSWORD, program: str = "docker"
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [program, "login", "-u", USER, "--password-stdin", address], input=password, text=True,
        capture_output=True, env=engine.environment(), timeout=60, check=False,
    )  # fmt: skip


def image(*architectures: str) -> Layout:
    layout = Layout()
    images = [layout.image([layer(entry(one, b"x"))], architecture=one) for one in architectures]
    layout.name(layout.index(images) if len(images) > 1 else images[0], "made")
    return layout


def test_a_login_that_the_registry_takes_is_kept_by_the_client(
    engine: Engine, private: Registry
) -> None:
    done = log_in(engine, private.address)
    assert (done.returncode, done.stdout) == (0, "Login Succeeded\n")
    name = private.copy(image("amd64"), "kept:1")
    engine.docker("pull", name)
    engine.docker("push", name)
    assert "Removing login credentials" in engine.docker("logout", private.address).stdout
    engine.docker("rmi", name)
    assert "no basic auth credentials" in engine.docker("pull", name, check=False).stderr


def test_a_login_that_the_registry_refuses_is_told(engine: Engine, private: Registry) -> None:
    done = log_in(engine, private.address, "wrong")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith(
        f"login attempt to http://{private.address}/v2/ failed with status: 401 Unauthorized"
    )
    body = {"username": USER, "password": "wrong", "serveraddress": private.address}
    with pytest.raises(ApiError) as raised:
        Api(engine.socket).post("/auth", body)
    assert raised.value.status == 401
    dead = f"127.0.0.1:{free_port()}"
    done = log_in(engine, dead)
    assert f"dial tcp {dead}: connect: connection refused" in done.stderr


def test_a_token_service_gives_an_identity_token(engine: Engine, tmp_path: Path) -> None:
    with TokenServer(tmp_path) as tokens, Registry(tokens=tokens) as registry:
        body = {"username": USER, "password": PASSWORD, "serveraddress": registry.address}
        answer = Api(engine.socket).post("/auth", body)
        assert answer == {"Status": "Login Succeeded", "IdentityToken": tokens.refresh}
        with pytest.raises(ApiError) as raised:
            Api(engine.socket).post("/auth", {**body, "password": "wrong"})
        assert raised.value.status == 401
        assert "incorrect username or password" in raised.value.message
        assert log_in(engine, registry.address).stdout == "Login Succeeded\n"
        config = json.loads((engine.root / "docker-config/config.json").read_text())
        assert config["auths"][registry.address]["identitytoken"] == tokens.refresh


def test_wherry_itself_logs_in_with_a_credential_helper(
    engine: Engine, private: Registry, tmp_path: Path
) -> None:
    helper = tmp_path / "docker-credential-drawer"
    helper.write_text(
        "#!/bin/sh\n"
        f'case "$1" in\n'
        f"store) cat > {tmp_path}/kept;;\n"
        f"get) cat > /dev/null; [ -s {tmp_path}/kept ] && cat {tmp_path}/kept ||"
        ' { echo "credentials not found in native keychain"; exit 1; };;\n'
        f"erase) cat > /dev/null; rm -f {tmp_path}/kept;;\nesac\n"
    )
    helper.chmod(0o755)
    directory = engine.root / "docker-config"
    directory.mkdir()
    (directory / "config.json").write_text('{"credsStore":"drawer"}')
    environment = {**engine.environment(), "PATH": f"{tmp_path}:{os.environ['PATH']}"}

    def wherry(*words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        program = [str(Path(sys.executable).parent / "wherry"), *words]
        return subprocess.run(program, input=stdin, text=True, capture_output=True,
                              env=environment, timeout=60, check=False)  # fmt: skip

    done = wherry("login", "-u", USER, "--password-stdin", private.address, stdin=PASSWORD)
    assert done.stdout == "Login Succeeded\n", done.stderr
    assert json.loads((tmp_path / "kept").read_text())["Username"] == USER
    config = json.loads((directory / "config.json").read_text())
    assert config["auths"] == {private.address: {}}  # as docker notes who is logged in where
    name = private.copy(image("amd64"), "helped:1")
    assert wherry("pull", name).returncode == 0
    assert wherry("push", name).returncode == 0
    assert wherry("logout", private.address).returncode == 0
    assert not (tmp_path / "kept").exists()
    assert "no basic auth credentials" in wherry("push", name).stderr
    engine.docker("rmi", name)


def test_an_image_is_described_without_pulling_it(engine: Engine, private: Registry) -> None:
    layout = image("amd64", "arm64")
    name = private.copy(layout, "described:1", "--all", "--format", "oci")
    log_in(engine, private.address)
    shown = json.loads(engine.docker("manifest", "inspect", "--insecure", name).stdout)
    assert len(shown["manifests"]) == 2
    api = Api(engine.socket)
    with pytest.raises(ApiError) as raised:
        api.get(f"/distribution/{name}/json")
    assert "no basic auth credentials" in raised.value.message
    with Registry() as public:
        name = public.copy(layout, "described:1", "--all", "--format", "oci")
        found = api.get(f"/distribution/{name}/json")
        assert found["Descriptor"]["digest"].startswith("sha256:")
        assert found["Descriptor"]["mediaType"] == "application/vnd.oci.image.index.v1+json"
        assert found["Platforms"] == [
            {"architecture": "amd64", "os": "linux"}, {"architecture": "arm64", "os": "linux"},
        ]  # fmt: skip
        pinned = f"{public.address}/described@{found['Descriptor']['digest']}"
        assert api.get(f"/distribution/{pinned}/json") == found
        single = public.copy(image("s390x"), "single:1", "--format", "v2s2")
        assert api.get(f"/distribution/{single}/json")["Platforms"] == [
            {"architecture": "s390x", "os": "linux"}
        ]
        with pytest.raises(ApiError) as raised:
            api.get(f"/distribution/{public.address}/absent:1/json")
        assert raised.value.status == 404
    assert engine.docker("images", "-q", f"{private.address}/described").stdout == ""
