"""What Docker's logs lack: searching on the engine, and options changed while a container runs."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.engine import Engine
from tests.support.patience import patience
from tests.system.test_volumes import wherry


@pytest.fixture(scope="module")
def writer(engine: Engine) -> str:
    script = "for i in $(seq 100); do echo line $i; echo error $i >&2; done"
    engine.docker("run", "--name", "writer", "busybox", "sh", "-c", script)
    return "writer"


def test_logs_are_searched_on_the_engine_by_line(engine: Engine, writer: str) -> None:
    done = wherry(engine, "logs", "--grep", "(line|error) 9[0-4]$", writer)
    assert done.stdout.decode().split("\n")[:-1] == [f"line {n}" for n in range(90, 95)]
    assert done.stderr.decode().split("\n")[:-1] == [f"error {n}" for n in range(90, 95)]


def test_tail_counts_the_lines_that_match(engine: Engine, writer: str) -> None:
    done = wherry(engine, "logs", "--grep", "^line .*5$", "--tail", "2", writer)
    assert done.stdout == b"line 85\nline 95\n"


def say(engine: Engine, name: str, script: str) -> None:
    """Has the first process of a container write what a script prints."""
    engine.docker("exec", name, "sh", "-c", f"({script}) >/proc/1/fd/1")


def test_a_search_follows_what_is_written(engine: Engine) -> None:
    engine.docker("run", "-d", "--name", "talker", "busybox", "sleep", "1000")
    following = subprocess.Popen(
        [sys.executable, "-c", "import sys; from wherry.cli.main import main; sys.exit(main())",
         "logs", "-f", "--grep", "yes", "talker"],
        stdout=subprocess.PIPE, env=engine.environment(),
    )  # fmt: skip
    say(engine, "talker", "echo no 1; echo yes 2; echo no 3; echo yes 4")
    engine.docker("stop", "-t", "0", "talker")
    assert following.communicate(timeout=patience(60))[0] == b"yes 2\nyes 4\n"


def test_a_bad_pattern_is_refused(engine: Engine, writer: str) -> None:
    done = wherry(engine, "logs", "--grep", "(", writer)
    assert (done.returncode, b"invalid grep pattern" in done.stderr) == (1, True)


def log_files(engine: Engine, name: str) -> list[Path]:
    path = Path(engine.docker("inspect", "-f", "{{.LogPath}}", name).stdout.strip())
    return sorted(path.parent.glob(f"{path.name}*"))


def test_a_log_gets_other_bounds_while_its_container_runs(engine: Engine) -> None:
    engine.docker("run", "-d", "--name", "bounded", "-l", "tier=db", "busybox", "sleep", "1000")
    changed = wherry(engine, "update", "--log-opt", "max-size=2k", "--log-opt", "max-file=3",
                     "--log-opt", "labels=tier", "bounded")  # fmt: skip
    assert changed.returncode == 0, changed.stderr
    shown = json.loads(engine.docker("inspect", "bounded").stdout)[0]["HostConfig"]["LogConfig"]
    assert shown["Config"] == {"max-size": "2k", "max-file": "3", "labels": "tier"}
    say(engine, "bounded", "for i in $(seq 0 199); do echo line $i; done")
    engine.docker("stop", "-t", "0", "bounded")
    files = log_files(engine, "bounded")
    assert len(files) == 3
    assert all(file.stat().st_size <= 3 << 10 for file in files)
    last = engine.docker("logs", "--details", "--tail", "1", "bounded").stdout
    assert last == "tier=db line 199\n"


def test_the_driver_of_a_log_and_unknown_options_are_refused(engine: Engine, writer: str) -> None:
    done = wherry(engine, "update", "--log-opt", "nosuch=1", writer)
    assert (done.returncode, b"unknown log opt 'nosuch'" in done.stderr) == (1, True)
