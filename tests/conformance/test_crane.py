"""crane beside the engine at one registry: each reads what the other wrote."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.clients import place
from tests.support.engine import Engine
from tests.support.registry import Registry

pytestmark = pytest.mark.clients


@pytest.fixture(scope="module")
def registry() -> Iterator[Registry]:
    with Registry() as running:
        yield running


def crane(*words: str, stdin: bytes = b"") -> str:
    """What a crane command prints that succeeds."""
    done = subprocess.run([place("crane"), *words], input=stdin, capture_output=True, timeout=60,
                          check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def test_crane_reads_and_validates_what_the_engine_pushed(
    engine: Engine, registry: Registry
) -> None:
    name = f"{registry.address}/pushed"
    engine.docker("tag", "busybox", name)
    pushed = engine.docker("push", name).stdout
    digest = crane("digest", "--insecure", name).strip()
    assert digest in pushed
    crane("validate", "--insecure", "--remote", name)
    config = json.loads(crane("config", "--insecure", name))
    assert config["config"]["Cmd"] == ["sh"]
    assert crane("ls", "--insecure", name) == "latest\n"


def test_the_engine_runs_what_crane_changed(
    engine: Engine, registry: Registry, tmp_path: Path
) -> None:
    name = f"{registry.address}/changed"
    engine.docker("tag", "busybox", name)
    engine.docker("push", name)
    (tmp_path / "greeting").write_text("appended by crane\n")
    layer = tmp_path / "layer.tar"
    subprocess.run(["tar", "-C", tmp_path, "-cf", layer, "greeting"], check=True)
    crane("append", "--insecure", "-b", name, "-f", str(layer), "-t", f"{name}:appended")
    crane("mutate", "--insecure", f"{name}:appended", "--cmd", "cat,/greeting", "-t",
          f"{name}:mutated")  # fmt: skip
    assert engine.docker("run", "--rm", f"{name}:mutated").stdout == "appended by crane\n"


def test_an_index_that_crane_makes_gives_each_platform_its_image(
    engine: Engine, registry: Registry
) -> None:
    name = f"{registry.address}/many"
    engine.docker("tag", "busybox", name)
    engine.docker("push", name)
    for platform in ("linux/amd64", "linux/arm64"):
        crane("mutate", "--insecure", name, "--set-platform", platform, "-t",
              f"{name}:{platform[6:]}")  # fmt: skip
    crane("index", "append", "--insecure", "-m", f"{name}:amd64", "-m", f"{name}:arm64", "-t",
          f"{name}:all")  # fmt: skip
    engine.docker("pull", "--platform", "linux/arm64", f"{name}:all")
    shown = engine.docker("image", "inspect", "-f", "{{.Architecture}}", f"{name}:all").stdout
    assert shown == "arm64\n"
    engine.docker("pull", "--platform", "linux/amd64", f"{name}:all")
    assert engine.docker("run", "--rm", f"{name}:all", "true").returncode == 0
