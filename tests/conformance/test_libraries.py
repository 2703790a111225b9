"""Libraries that programs and test suites use to talk to Docker, each with a real scenario."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.conformance.clients import node_modules, place
from tests.support.engine import Engine

pytestmark = pytest.mark.clients

SCENARIOS = Path(__file__).parent / "scenarios"


def run(engine: Engine, *command: object, **environment: str) -> str:
    """What a scenario prints."""
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, timeout=120, check=False,
        env={**engine.environment(), **environment},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr + engine.log()[-2000:]
    return done.stdout


def test_testcontainers_runs_servers_for_a_test_suite(engine: Engine) -> None:
    scenario = SCENARIOS / "testcontainers_scenario.py"
    shown = run(engine, place("python"), scenario, TESTCONTAINERS_RYUK_DISABLED="true",
                TC_HOST="127.0.0.1")  # fmt: skip
    assert shown.splitlines() == [
        "http: from the container", "exec: 3 b", "network: from the container", "ended",
    ]  # fmt: skip
    assert engine.docker("ps", "-aq").stdout == ""
    assert engine.docker("network", "ls", "-q", "--filter", "type=custom").stdout == ""


def test_python_on_whales_drives_the_command_line(engine: Engine, tmp_path: Path) -> None:
    scenario = SCENARIOS / "python_on_whales_scenario.py"
    shown = run(engine, place("python"), scenario, f"unix://{engine.socket}", tmp_path)
    assert shown.splitlines() == [
        "state: running 67108864", "exec: hello", "copy: copied", "listed: ['whale']",
        "paused: True", "image: ['whale:committed']", "volume: kept", "network: bridge whale-net",
        "error: 7", "info: overlay2",
    ]  # fmt: skip


def test_dockerode_streams_over_hijacked_connections(engine: Engine) -> None:
    scenario = SCENARIOS / "dockerode_scenario.js"
    shown = run(engine, "node", scenario, engine.socket, NODE_PATH=str(node_modules()))
    assert shown.splitlines() == [
        "attach: through the hijacked stream", "wait: 0", "exec: out err", "code: 5",
        "stats: true", "listed: /ode2", "run: 4", "volume: local",
        "error: 404 no such container",
    ]  # fmt: skip


def test_devcontainers_brings_a_workspace_up_and_runs_in_it(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / ".devcontainer").mkdir()
    (tmp_path / ".devcontainer/devcontainer.json").write_text(
        '{"image": "busybox", "overrideCommand": true, "remoteUser": "root",'
        ' "updateRemoteUserUID": false, "containerEnv": {"PURPOSE": "work"},'
        ' "postCreateCommand": "echo made >/tmp/made"}'
    )
    (tmp_path / "source.txt").write_text("of the workspace\n")
    command = place("devcontainer")
    words = ("--workspace-folder", tmp_path, "--docker-path", "docker")
    home = {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    run(engine, command, "up", *words, "--skip-non-blocking-commands", **home)
    inside = f"cat /workspaces/{tmp_path.name}/source.txt; echo $PURPOSE"
    assert run(engine, command, "exec", *words, "sh", "-c", inside, **home).splitlines() == [
        "of the workspace", "work",
    ]  # fmt: skip
    engine.docker("rm", "-f", *engine.docker("ps", "-aq").stdout.split())
