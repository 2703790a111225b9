"""`docker exec`: a further process with its own user, place, variables, streams and end."""

import json
import os
import signal
from collections.abc import Iterator

import pytest

from tests.support.api import Api
from tests.support.engine import Engine


@pytest.fixture(scope="module")
def box(engine: Engine) -> Iterator[str]:
    engine.docker("run", "-d", "--name", "box", "--env", "A=container", "--workdir", "/home",
                  "--init", "busybox", "sleep", "1000")  # fmt: skip
    yield "box"
    engine.docker("rm", "-f", "box")


@pytest.mark.parametrize(
    ("options", "script", "shown"),
    [
        ((), "echo $A; pwd; id -u", "container\n/home\n0\n"),
        (("--env", "A=mine", "--env", "B=b"), "echo $A $B", "mine b\n"),
        (("--workdir", "/tmp"), "pwd", "/tmp\n"),
        (("--user", "joe"), "id -un; echo $HOME", "joe\n/home\n"),
        (("--user", "7:8"), "echo $(id -u) $(id -g)", "7 8\n"),
        (("--privileged",), "grep CapEff /proc/self/status | grep -vc a80425fb", "1\n"),
        ((), "grep CapEff /proc/self/status", "CapEff:\t00000000a80425fb\n"),
        ((), "echo out; echo err >&2", "out\n"),
    ],
)
def test_a_process_is_run_as_it_is_asked_for(
    engine: Engine, box: str, options: tuple[str, ...], script: str, shown: str
) -> None:
    assert engine.docker("exec", *options, box, "sh", "-c", script).stdout == shown


def test_standard_input_reaches_it_whole(engine: Engine, box: str) -> None:
    done = engine.docker("exec", "-i", box, "wc", "-c", stdin=b"x" * 2_000_000)
    assert done.stdout.strip() == "2000000"


@pytest.mark.parametrize(
    ("words", "code"),
    [(("sh", "-c", "exit 42"), 42), (("sh", "-c", "kill -9 $$"), 137), (("nosuch",), 127),
     (("/etc/passwd",), 126), (("true",), 0)],
)  # fmt: skip
def test_its_exit_code_is_the_clients(
    engine: Engine, box: str, words: tuple[str, ...], code: int
) -> None:
    assert engine.docker("exec", box, *words, check=False).returncode == code


def test_detached_it_runs_on_alone(engine: Engine, box: str) -> None:
    engine.docker("exec", "-d", box, "sh", "-c", "echo done > /tmp/done")
    waiting = "until [ -e /tmp/done ]; do sleep 0.01; done; cat /tmp/done"
    assert engine.docker("exec", box, "sh", "-c", waiting).stdout == "done\n"


def test_it_is_inspected_while_it_runs_and_after(engine: Engine, box: str) -> None:
    api = Api(engine.socket)
    made = api.post(f"/containers/{box}/exec", {"Cmd": ["sleep", "100"], "AttachStdout": True})
    api.post(f"/exec/{made['Id']}/start", {"Detach": True})
    shown = api.get(f"/exec/{made['Id']}/json")
    assert (shown["Running"], shown["ExitCode"]) == (True, None)
    assert shown["ProcessConfig"]["entrypoint"] == "sleep"
    ids = json.loads(engine.docker("inspect", box).stdout)[0]["ExecIDs"]
    assert made["Id"] in ids
    os.kill(shown["Pid"], signal.SIGTERM)
    reading = engine.spawn("events", "--since", "1", "--filter", "event=exec_die", "--format",
                           '{{index .Actor.Attributes "execID"}}')  # fmt: skip
    assert reading.stdout
    while reading.stdout.readline().decode().strip() != made["Id"]:
        pass
    reading.kill()
    reading.communicate()
    shown = api.get(f"/exec/{made['Id']}/json")
    assert (shown["Running"], shown["ExitCode"]) == (False, 143)


def test_it_ends_with_its_container(engine: Engine) -> None:
    engine.docker("run", "-d", "--name", "short", "busybox", "sleep", "1000")
    running = engine.spawn("exec", "short", "sh", "-c", "echo up; sleep 1000")
    assert running.stdout
    assert running.stdout.readline() == b"up\n"
    engine.docker("kill", "short")
    running.communicate(timeout=30)
    assert running.returncode == 137
    engine.docker("rm", "short")


def test_nothing_is_run_in_what_is_paused_or_has_ended(engine: Engine) -> None:
    engine.docker("run", "-d", "--name", "still", "busybox", "sleep", "1000")
    engine.docker("pause", "still")
    refused = engine.docker("exec", "still", "true", check=False)
    assert (refused.returncode, "is paused, unpause" in refused.stderr) == (1, True)
    engine.docker("unpause", "still")
    engine.docker("kill", "still")
    refused = engine.docker("exec", "still", "true", check=False)
    assert (refused.returncode, "is not running" in refused.stderr) == (1, True)
    engine.docker("rm", "still")
