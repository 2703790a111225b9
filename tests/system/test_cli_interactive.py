"""Containers in the foreground, with docker and wherry: terminals, keys, signals, exit codes."""

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.engine import Engine
from tests.support.terminal import Terminal

WHERRY = [sys.executable, str(Path(__file__).resolve().parents[2] / "bin" / "wherry")]
PROGRAMS = {"docker": ["docker"], "wherry": WHERRY}
DETACH = "\x10\x11"
"""ctrl-p, ctrl-q"""

TRAP = "trap 'echo got it; exit 3' TERM; echo ready; while :; do sleep 0.05; done"


@pytest.fixture(params=PROGRAMS)
def program(request: pytest.FixtureRequest) -> list[str]:
    return PROGRAMS[request.param]


@pytest.fixture
def name(engine: Engine, program: list[str]) -> Iterator[str]:
    """A name for a container, which is removed at the end."""
    chosen = f"c{time.monotonic_ns()}"
    yield chosen
    engine.docker("rm", "-f", chosen, check=False)


def terminal(engine: Engine, program: list[str], *words: str, **size: int) -> Terminal:
    return Terminal([*program, *words], engine.environment(), **size)


def piped(
    engine: Engine, program: list[str], *words: str, stdin: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*program, *words], input=stdin, env=engine.environment(), capture_output=True,
        check=False, timeout=60,
    )  # fmt: skip


def ask_until(shell: Terminal, size: str) -> None:
    """Asks for the window's size until it is this one: it travels beside what is typed."""
    deadline = time.monotonic() + 30
    while size not in shell.seen:
        assert time.monotonic() < deadline, shell.seen
        shell.send("stty size\r")
        shell.expect("# ")


def running(engine: Engine, name: str) -> bool:
    return engine.docker("inspect", "-f", "{{.State.Running}}", name).stdout == "true\n"


def test_a_shell_is_typed_into_and_its_exit_code_comes_back(
    engine: Engine, program: list[str]
) -> None:
    with terminal(engine, program, "run", "-it", "--rm", "busybox", "sh") as shell:
        shell.expect("# ")
        shell.send("echo a$((1+1))b\r")
        shell.expect("a2b")
        shell.send("sh -c 'echo st''art; exec sleep 100'\r")
        shell.expect("start")
        shell.send("\x03")
        shell.expect("# ")
        shell.send("exit 5\r")
        assert shell.wait() == 5
        assert shell.restored()


def test_the_container_has_the_windows_size_and_follows_it(
    engine: Engine, program: list[str]
) -> None:
    words = ("run", "-it", "--rm", "busybox", "sh")
    with terminal(engine, program, *words, rows=31, columns=97) as shell:
        shell.expect("# ")
        ask_until(shell, "31 97")
        shell.resize(40, 120)
        ask_until(shell, "40 120")
        shell.send("exit\r")
        assert shell.wait() == 0


def test_detach_keys_leave_it_running_and_attach_comes_back(
    engine: Engine, program: list[str], name: str
) -> None:
    with terminal(engine, program, "run", "-it", "--name", name, "busybox", "sh") as shell:
        shell.expect("# ")
        shell.send(DETACH)
        assert shell.wait() == 0
        assert shell.restored()
    assert running(engine, name)
    with terminal(engine, program, "attach", "--detach-keys", "ctrl-x,a", name) as shell:
        shell.send("echo b$((2+2))c\r")
        shell.expect("b4c")
        shell.send("\x18a")
        assert shell.wait() in (0, 1)
    assert running(engine, name)
    with terminal(engine, program, "attach", name) as shell:
        shell.send("exit 4\r")
        assert shell.wait() == 4


def test_detach_keys_of_the_configuration_count(
    engine: Engine, program: list[str], name: str, tmp_path: Path
) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"detachKeys": "ctrl-e,z"}))
    environment = {**engine.environment(), "DOCKER_CONFIG": str(tmp_path)}
    words = [*program, "run", "-it", "--name", name, "busybox", "sh"]
    with Terminal(words, environment) as shell:
        shell.expect("# ")
        shell.send("\x05z")
        assert shell.wait() == 0
    assert running(engine, name)


def test_start_attaches_to_what_was_created(engine: Engine, program: list[str], name: str) -> None:
    engine.docker("create", "-it", "--name", name, "busybox", "sh")
    with terminal(engine, program, "start", "-ai", name) as shell:
        shell.send("echo c$((3+3))d; exit 6\r")
        shell.expect("c6d")
        assert shell.wait() == 6


def test_exec_has_a_terminal_of_its_own(engine: Engine, program: list[str], name: str) -> None:
    engine.docker("run", "-d", "--name", name, "busybox", "sleep", "1000")
    with terminal(engine, program, "exec", "-it", name, "sh") as shell:
        shell.expect("# ")
        shell.send("tty && exit 9\r")
        shell.expect("/dev/pts/")
        assert shell.wait() == 9
        assert shell.restored()


def test_a_signal_reaches_the_containers_process(engine: Engine, program: list[str]) -> None:
    with terminal(engine, program, "run", "--rm", "busybox", "sh", "-c", TRAP) as container:
        container.expect("ready")
        container.signal(signal.SIGTERM)
        container.expect("got it")
        assert container.wait() == 3


def test_attach_passes_signals_on_unless_told_otherwise(
    engine: Engine, program: list[str], name: str
) -> None:
    engine.docker("run", "-d", "--name", name, "busybox", "sh", "-c", TRAP)
    with terminal(engine, program, "attach", "--sig-proxy=false", name) as attached:
        deadline = time.monotonic() + 30
        while b"attach" not in Path(f"/proc/{attached._process.pid}/cmdline").read_bytes():
            assert time.monotonic() < deadline
        attached.signal(signal.SIGKILL)
        attached.wait()
    assert running(engine, name)
    engine.docker("kill", "-s", "TERM", name)
    assert engine.docker("wait", name).stdout == "3\n"


@pytest.mark.parametrize("words", [
    ("run", "--rm", "-i", "busybox", "sh", "-c", "cat; echo end"),
    ("exec", "-i", "{}", "sh", "-c", "cat; echo end"),
])  # fmt: skip
def test_the_end_of_standard_input_arrives_and_output_still_comes(
    engine: Engine, program: list[str], name: str, words: tuple[str, ...]
) -> None:
    engine.docker("run", "-d", "--name", name, "busybox", "sleep", "1000")
    data = b"x" * 300_000
    done = piped(engine, program, *(word.replace("{}", name) for word in words), stdin=data)
    assert (done.returncode, done.stdout) == (0, data + b"end\n")


def test_output_and_errors_are_kept_apart_without_a_terminal(
    engine: Engine, program: list[str]
) -> None:
    done = piped(
        engine, program, "run", "--rm", "busybox", "sh", "-c", "echo o; echo e >&2; exit 2"
    )
    assert (done.returncode, done.stdout, done.stderr) == (2, b"o\n", b"e\n")


@pytest.mark.parametrize(("command", "code"), [
    (("sh", "-c", "exit 77"), 77), (("nosuch",), 127), (("/etc/passwd",), 126), (("false",), 1),
])  # fmt: skip
def test_exit_codes_are_dockers(
    engine: Engine, program: list[str], command: tuple[str, ...], code: int
) -> None:
    assert piped(engine, program, "run", "--rm", "busybox", *command).returncode == code


def test_a_terminal_is_refused_where_standard_input_is_none(
    engine: Engine, program: list[str]
) -> None:
    done = piped(engine, program, "run", "--rm", "-it", "busybox", "true")
    assert done.returncode == 1
    assert b"the input device is not a TTY" in done.stderr


def test_following_logs_ends_with_an_interrupt(
    engine: Engine, program: list[str], name: str
) -> None:
    engine.docker("run", "-d", "--name", name, "busybox", "sh", "-c", "echo line; sleep 1000")
    with terminal(engine, program, "logs", "-f", name) as logs:
        logs.expect("line")
        logs.send("\x03")
        assert logs.wait() in (130, -signal.SIGINT)


def test_a_reader_that_goes_away_ends_the_program_quietly(
    engine: Engine, program: list[str]
) -> None:
    if not shutil.which("bash"):
        pytest.skip("there is no bash")
    line = f"{' '.join(program)} run --rm busybox yes | head -n 1"
    done = subprocess.run(
        ["bash", "-c", line], env=engine.environment(), capture_output=True, text=True,
        check=False, timeout=60,
    )  # fmt: skip
    assert done.stdout == "y\n"
    assert "Traceback" not in done.stderr
