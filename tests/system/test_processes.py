"""The processes of a container: shown, counted, signalled, waited for, reaped."""

import json
from collections.abc import Iterator

import pytest

from tests.support.engine import Engine

TRAPS = "trap 'echo USR1' USR1; trap 'echo HUP; exit 5' HUP; trap 'echo TERM; exit 6' TERM; "
LOOP = "echo ready; while :; do sleep 0.02; done"


@pytest.fixture
def trapping(engine: Engine) -> Iterator[str]:
    """A container that says which signals it gets."""
    engine.docker("run", "-d", "--name", "traps", "--stop-signal", "HUP", "busybox", "sh", "-c",
                  TRAPS + LOOP)  # fmt: skip
    wait_for_line(engine, "traps", "ready")
    yield "traps"
    engine.docker("rm", "-f", "traps")


def wait_for_line(engine: Engine, name: str, line: str) -> None:
    following = engine.spawn("logs", "-f", name)
    assert following.stdout
    while (read := following.stdout.readline().decode()) != f"{line}\n":
        assert read, f"{name} never wrote {line}"
    following.kill()
    following.communicate()


def test_a_signal_is_sent_by_name_and_by_number(engine: Engine, trapping: str) -> None:
    engine.docker("kill", "-s", "USR1", trapping)
    wait_for_line(engine, trapping, "USR1")
    engine.docker("kill", "-s", "15", trapping)
    assert engine.docker("wait", trapping).stdout == "6\n"


def test_stop_sends_the_containers_own_signal(engine: Engine, trapping: str) -> None:
    engine.docker("stop", trapping)
    assert engine.docker("wait", trapping).stdout == "5\n"
    assert engine.docker("logs", trapping).stdout.endswith("HUP\n")


def test_stop_sends_the_signal_that_it_is_given(engine: Engine, trapping: str) -> None:
    engine.docker("stop", "--signal", "TERM", trapping)
    assert engine.docker("wait", trapping).stdout == "6\n"


def test_kill_ends_at_once_with_128_and_the_signal(engine: Engine, trapping: str) -> None:
    engine.docker("kill", trapping)
    assert engine.docker("wait", trapping).stdout == "137\n"


def test_processes_are_shown_with_the_columns_that_ps_is_asked_for(engine: Engine) -> None:
    engine.docker("run", "-d", "--name", "shown", "busybox", "sh", "-c", "sleep 777 & sleep 778")
    lines = engine.docker("top", "shown").stdout.splitlines()
    assert lines[0].split() == ["UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"]
    commands = [line.split(maxsplit=7)[7] for line in lines[1:]]
    assert sorted(commands)[-2:] == ["sleep 777", "sleep 778"]
    lines = engine.docker("top", "shown", "-o", "pid,args").stdout.splitlines()
    assert lines[0].split() == ["PID", "COMMAND"]
    pid = engine.docker("inspect", "-f", "{{.State.Pid}}", "shown").stdout.strip()
    assert pid in [line.split()[0] for line in lines[1:]]
    engine.docker("rm", "-f", "shown")


def test_use_of_the_machine_is_told(engine: Engine) -> None:
    engine.docker("run", "-d", "--name", "busy", "-m", "64m", "busybox", "sh", "-c",
                  "while :; do :; done")  # fmt: skip
    shown = engine.docker("stats", "--no-stream", "--format", "{{json .}}", "busy").stdout
    told = json.loads(shown)
    assert told["Name"] == "busy"
    assert float(told["CPUPerc"].rstrip("%")) > 0
    assert told["MemUsage"].endswith("/ 64MiB")
    assert int(told["PIDs"]) >= 1
    engine.docker("rm", "-f", "busy")


def test_an_init_reaps_orphans_and_passes_signals_on(engine: Engine) -> None:
    script = f"(sleep 0.05 &) ; {TRAPS}{LOOP}"
    engine.docker("run", "-d", "--name", "tended", "--init", "busybox", "sh", "-c", script)
    wait_for_line(engine, "tended", "ready")
    engine.docker("exec", "tended", "sh", "-c",
                  "while ps -o stat,args | grep -q 'sleep 0.05$'; do sleep 0.02; done; "
                  "! ps -o stat | grep Z")  # fmt: skip
    assert "init" in engine.docker("exec", "tended", "cat", "/proc/1/comm").stdout
    engine.docker("stop", "tended")
    assert engine.docker("wait", "tended").stdout == "6\n"
    engine.docker("rm", "tended")


def test_several_are_waited_for_in_turn(engine: Engine) -> None:
    for code in ("3", "4"):
        engine.docker("run", "-d", "--name", f"ends{code}", "busybox", "sh", "-c", f"exit {code}")
    assert engine.docker("wait", "ends3", "ends4").stdout == "3\n4\n"
    engine.docker("rm", "ends3", "ends4")


def test_attach_shows_output_and_brings_the_exit_code(engine: Engine) -> None:
    engine.docker("run", "-d", "-i", "--name", "reads", "busybox", "sh", "-c",
                  "read word; echo got $word; echo oops >&2; exit 9")  # fmt: skip
    done = engine.docker("attach", "reads", stdin=b"word\n", check=False)
    assert (done.returncode, done.stdout, done.stderr) == (9, "got word\n", "oops\n")
    engine.docker("rm", "reads")
