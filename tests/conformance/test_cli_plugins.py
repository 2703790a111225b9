"""Docker's CLI plugins run under `wherry` as under `docker`, pointed at the same engine."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.wherry_cli import Answer, WarmWherry

PLUGIN = """#!/bin/sh
if [ "$1" = docker-cli-plugin-metadata ]; then
    echo '{"SchemaVersion":"0.1.0","Vendor":"somebody","Version":"1","ShortDescription":"Says it"}'
    exit 0
fi
echo "args: $*"
echo "host: $DOCKER_HOST"
echo "reexec: ${DOCKER_CLI_PLUGIN_ORIGINAL_CLI_COMMAND:+given}"
exit 7
"""

needs_docker = pytest.mark.skipif(not shutil.which("docker"), reason="there is no docker CLI")


@pytest.fixture(scope="module")
def wherry() -> Iterator[WarmWherry]:
    with WarmWherry() as running:
        yield running


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A configuration with the plugins hello and buildx, and two files that are none."""
    directory = tmp_path / "cli-plugins"
    directory.mkdir()
    for name in ("docker-hello", "docker-buildx"):
        (directory / name).write_text(PLUGIN)
        (directory / name).chmod(0o755)
    (directory / "docker-broken").write_text("#!/bin/sh\nexit 1\n")
    (directory / "docker-broken").chmod(0o755)
    (directory / "docker-text").write_text("no program")
    return tmp_path


def environment(home: Path, **more: str) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(home), "DOCKER_CONFIG": str(home), **more}


def docker(words: list[str], variables: dict[str, str], home: Path) -> Answer:
    done = subprocess.run(
        ["docker", *words], env=variables, cwd=home, capture_output=True, text=True, check=False,
        timeout=60,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


@needs_docker
@pytest.mark.parametrize("line", [
    "hello", "hello a -b --c=d", "--log-level error hello x", "-H tcp://h:1 hello y",
    "build -t x .", "image build .", "builder prune -f", "buildx ls", "broken", "text",
])  # fmt: skip
def test_a_plugin_is_called_as_docker_calls_it(line: str, wherry: WarmWherry, home: Path) -> None:
    variables = environment(home, DOCKER_HOST="tcp://engine:1")
    ours = wherry.run(line.split(), variables, home)
    theirs = docker(line.split(), variables, home)
    assert ours[0] == theirs[0]
    assert ours[1] == theirs[1]
    assert ours[2].replace("wherry", "docker") == theirs[2]


def test_a_plugin_gets_our_socket_where_nothing_names_another(
    wherry: WarmWherry, home: Path
) -> None:
    code, out, _ = wherry.run(["hello"], environment(home), home)
    assert code == 7
    assert "host: unix:///run/wherry/wherry.sock\n" in out


def test_a_plugin_finds_the_context_in_use_by_itself(wherry: WarmWherry, home: Path) -> None:
    variables = environment(home)
    words = ["context", "create", "far", "--docker", "host=tcp://far:1"]
    assert wherry.run(words, variables, home)[0] == 0
    assert wherry.run(["context", "use", "far"], variables, home)[0] == 0
    assert "host: \n" in wherry.run(["hello"], variables, home)[1]


def test_help_shows_the_plugins_and_passes_their_own_help_on(
    wherry: WarmWherry, home: Path
) -> None:
    _, out, _ = wherry.run(["--help"], environment(home), home)
    assert "  hello*      Says it\n" in out
    assert "broken" not in out
    assert "args: hello --help\n" in wherry.run(["help", "hello"], environment(home), home)[1]


def test_a_build_without_buildx_names_the_remedy(wherry: WarmWherry, tmp_path: Path) -> None:
    code, _, err = wherry.run(["build", "-t", "x", "."], environment(tmp_path), tmp_path)
    assert code == 1
    assert "Install the buildx component" in err


def test_directories_of_the_configuration_come_first(wherry: WarmWherry, home: Path) -> None:
    extra = home / "extra"
    extra.mkdir()
    (extra / "docker-hello").write_text(PLUGIN.replace("args:", "other:"))
    (extra / "docker-hello").chmod(0o755)
    (home / "config.json").write_text(f'{{"cliPluginsExtraDirs": ["{extra}"]}}')
    assert "other: hello\n" in wherry.run(["hello"], environment(home), home)[1]
