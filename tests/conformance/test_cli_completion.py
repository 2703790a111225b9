"""Completion: candidates asked from the engine, in the shells that people use."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.canned_answers import ANSWERS, NOT_FOUND
from tests.support.canned_engine import CannedEngine
from tests.support.wherry_cli import WarmWherry

ROOT = Path(__file__).resolve().parents[2]

BASH = """
source <(wherry completion bash)
COMP_WORDS=({words})
COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
_wherry 2>/dev/null
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
ZSH = """
compdef() {{ :; }}
source <(wherry completion zsh)
_describe() {{ print -rl -- "${{(@P)3}}"; }}
_files() {{ print files; }}
words=({words})
CURRENT=${{#words}}
_wherry
"""


@pytest.fixture(scope="module")
def wherry() -> Iterator[WarmWherry]:
    with WarmWherry() as running:
        yield running


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CannedEngine]:
    with CannedEngine(tmp_path_factory.mktemp("canned"), ANSWERS, NOT_FOUND) as running:
        yield running


@pytest.fixture
def environment(engine: CannedEngine, tmp_path: Path) -> dict[str, str]:
    """With a `wherry` to be found by shells."""
    program = tmp_path / "bin" / "wherry"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} {ROOT}/bin/wherry "$@"\n')
    program.chmod(0o755)
    return {
        "PATH": f"{program.parent}:{os.environ['PATH']}", "HOME": str(tmp_path),
        "DOCKER_HOST": engine.host, "PYTHONPATH": str(ROOT),
    }  # fmt: skip


@pytest.mark.parametrize(("words", "expected"), [
    (["ru"], ["run"]),
    (["container", "re"], ["rename", "restart"]),
    (["ps", "--no"], ["--no-trunc"]),
    (["-"], ["--config", "--context", "-c", "--debug", "-D", "--host", "-H", "--log-level", "-l",
             "--tls", "--tlscacert", "--tlscert", "--tlskey", "--tlsverify", "--version", "-v"]),
    (["rm", "w"], ["web"]),
    (["rm", "web", ""], ["db", "job"]),
    (["rm", "-f", "j"], ["job"]),
    (["run", "-it", "ng"], ["nginx", "nginx:1.27"]),
    (["run", "--network", "net"], ["net10", "net2"]),
    (["run", "--network", "net2", "--rm", "ng"], ["nginx", "nginx:1.27"]),
    (["run", "nginx", "-"], []),
    (["rmi", "nginx:l"], ["nginx:latest"]),
    (["network", "rm", ""], ["bridge", "net10", "net2"]),
    (["network", "connect", "net10", "d"], ["db"]),
    (["volume", "rm", "vol1"], ["vol10"]),
    (["secret", "rm", "b1"], ["b10"]),
    (["context", "use", ""], ["default"]),
    (["kill", "-s", "U"], ["USR1", "USR2"]),
    (["--context", "d"], ["default"]),
    (["--log-level", "w"], ["warn"]),
    (["cp", "w"], ["web:"]),
    (["completion", ""], ["bash", "fish", "zsh"]),
    (["nope", ""], []),
])  # fmt: skip
def test_candidates_are_commands_options_and_what_the_engine_has(
    words: list[str], expected: list[str], wherry: WarmWherry, environment: dict[str, str],
    tmp_path: Path,
) -> None:  # fmt: skip
    _, out, _ = wherry.run(["__completeNoDesc", *words], environment, tmp_path)
    assert sorted(out.splitlines()[:-1]) == sorted(expected)


def test_candidates_have_descriptions_where_they_are_wanted(
    wherry: WarmWherry, environment: dict[str, str], tmp_path: Path
) -> None:
    _, out, _ = wherry.run(["__complete", "ru"], environment, tmp_path)
    assert out == "run\tCreate and run a new container from an image\n:4\n"


def test_without_an_engine_nothing_is_offered_and_nothing_said(
    wherry: WarmWherry, environment: dict[str, str], tmp_path: Path
) -> None:
    environment["DOCKER_HOST"] = f"unix://{tmp_path}/nothing.sock"
    assert wherry.run(["__complete", "rm", ""], environment, tmp_path) == (0, ":4\n", "")


def asked(shell: list[str], environment: dict[str, str]) -> list[str]:
    done = subprocess.run(
        shell, env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


def test_bash_completes_names_and_files(environment: dict[str, str]) -> None:
    assert asked(["bash", "-c", BASH.format(words="wherry rm w")], environment) == ["web"]
    assert asked(["bash", "-c", BASH.format(words="wherry stop ''")], environment) == [
        "web", "db", "job",
    ]  # fmt: skip


@pytest.mark.skipif(not shutil.which("zsh"), reason="there is no zsh")
def test_zsh_completes_with_descriptions(environment: dict[str, str]) -> None:
    shown = asked(["zsh", "-f", "-c", ZSH.format(words="wherry rm w")], environment)
    assert shown == ["web:nginx:1.27"]
    assert "nginx\\:1.27" in asked(
        ["zsh", "-f", "-c", ZSH.format(words="wherry rmi nginx:")], environment
    )
    assert "files" in asked(["zsh", "-f", "-c", ZSH.format(words="wherry load -i ''")], environment)


@pytest.mark.skipif(not shutil.which("fish"), reason="there is no fish")
def test_fish_completes_with_descriptions(environment: dict[str, str]) -> None:
    source = "wherry completion fish | source; complete -C 'wherry rm w'"
    assert asked(["fish", "--no-config", "-c", source], environment) == ["web\tnginx:1.27"]
