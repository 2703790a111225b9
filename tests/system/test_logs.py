"""`docker logs` and what the log drivers keep."""

import gzip
import json
from pathlib import Path

import pytest

from tests.support.engine import Engine


def made(engine: Engine, script: str, *options: str) -> str:
    """A container that has run a script to its end; its id."""
    container = engine.docker("run", "-d", "--network", "none", *options, "busybox", "sh", "-c",
                              script).stdout.strip()  # fmt: skip
    engine.docker("wait", container)
    return container


def files(engine: Engine, container: str) -> list[Path]:
    """The log's files, newest first."""
    return sorted((engine.data / "containers" / container).glob("*-json.log*"))


def test_streams_are_told_apart_and_kept_in_order(engine: Engine) -> None:
    container = made(engine, "echo one; sleep 0.05; echo two >&2; sleep 0.05; echo three")
    shown = engine.docker("logs", container)
    assert (shown.stdout, shown.stderr) == ("one\nthree\n", "two\n")
    engine.docker("rm", container)


def test_tail_since_until_and_timestamps_choose_and_show_lines(engine: Engine) -> None:
    container = made(engine, "for i in 1 2 3 4; do echo $i; sleep 0.02; done")
    assert engine.docker("logs", "--tail", "2", container).stdout == "3\n4\n"
    assert engine.docker("logs", "-n", "0", container).stdout == ""
    lines = engine.docker("logs", "-t", container).stdout.splitlines()
    times = [line.split()[0] for line in lines]
    assert times == sorted(times)
    assert all(len(time) == len("2006-01-02T15:04:05.000000000Z") for time in times)
    assert engine.docker("logs", "--since", times[2], container).stdout == "3\n4\n"
    assert engine.docker("logs", "--until", times[1], container).stdout == "1\n2\n"
    refused = engine.docker("logs", "--since", "yesterday", container, check=False)
    assert refused.returncode == 1
    engine.docker("rm", container)


def test_a_log_is_followed_to_the_end_of_its_container(engine: Engine) -> None:
    engine.docker("run", "-d", "--name", "speaks", "busybox", "sh", "-c",
                  "echo first; until [ -e /end ]; do sleep 0.02; done; echo last")  # fmt: skip
    following = engine.spawn("logs", "-f", "speaks")
    assert following.stdout
    assert following.stdout.readline() == b"first\n"
    engine.docker("exec", "speaks", "touch", "/end")
    assert following.communicate(timeout=30)[0] == b"last\n"
    engine.docker("rm", "speaks")


def test_bytes_come_back_as_they_were_written(engine: Engine) -> None:
    """Long lines, lines without an end, no lines at all."""
    script = "head -c 50000 /dev/zero | tr '\\0' x; echo; printf 'no end'"
    container = made(engine, script)
    assert engine.docker("logs", container).stdout == "x" * 50000 + "\nno end"
    assert engine.docker("logs", "--tail", "1", container).stdout == "no end"
    silent = made(engine, "true")
    assert engine.docker("logs", silent).stdout == ""
    engine.docker("rm", container, silent)


def test_a_log_is_rotated_and_older_files_are_compressed(engine: Engine) -> None:
    options = ("--log-opt", "max-size=10k", "--log-opt", "max-file=3", "--log-opt", "compress=true")
    container = made(engine, "i=0; while [ $i -lt 600 ]; do echo line $i; i=$((i+1)); done",
                     *options)  # fmt: skip
    found = files(engine, container)
    base = f"{container}-json.log"
    assert [path.name for path in found] == [base, f"{base}.1.gz", f"{base}.2.gz"]
    assert found[0].stat().st_size <= 10_240
    assert {path.stat().st_mode & 0o777 for path in found} == {0o640}
    assert all(len(gzip.decompress(path.read_bytes())) <= 10_240 for path in found[1:])
    lines = engine.docker("logs", container).stdout.splitlines()
    numbers = [int(line.split()[1]) for line in lines]
    assert numbers == list(range(numbers[0], 600))
    assert numbers[0] > 0
    engine.docker("rm", container)


def test_logs_are_rotated_without_being_told_to(engine: Engine) -> None:
    container = made(engine, "head -c 22000000 /dev/zero | tr '\\0' x | fold -w 1000")
    found = files(engine, container)
    assert len(found) == 2
    assert all(path.stat().st_size <= 20 << 20 for path in found)
    engine.docker("rm", container)


def test_a_log_that_may_not_block_is_there_at_once_and_whole(engine: Engine) -> None:
    engine.docker("run", "-d", "--name", "free", "--log-opt", "mode=non-blocking", "--log-opt",
                  "max-buffer-size=64k", "busybox", "sh", "-c",
                  "i=0; while [ $i -lt 5000 ]; do echo line $i; i=$((i+1)); done; sleep 1000",
                  )  # fmt: skip
    following = engine.spawn("logs", "-f", "free")
    assert following.stdout
    assert [following.stdout.readline() for _ in range(5000)] == [
        f"line {number}\n".encode() for number in range(5000)
    ]
    following.kill()
    following.communicate()
    engine.docker("rm", "-f", "free")


def test_labels_variables_and_a_tag_go_with_every_record(engine: Engine) -> None:
    container = made(
        engine, "echo hello", "--name", "marked", "--label", "team=sea", "--label", "other=x",
        "--env", "STAGE=test", "--log-opt", "labels=team", "--log-opt", "env=STAGE",
        "--log-opt", "tag={{.Name}}/{{ .ID }}",
    )  # fmt: skip
    record = json.loads(files(engine, container)[0].read_text())
    tag = f"marked/{container[:12]}"
    assert record["attrs"] == {"team": "sea", "STAGE": "test", "tag": tag}
    assert (record["log"], record["stream"]) == ("hello\n", "stdout")
    shown = engine.docker("logs", "--details", "marked").stdout
    assert "team=sea" in shown
    assert "STAGE=test" in shown
    engine.docker("rm", "marked")


@pytest.mark.parametrize("driver", ["local", "json-file"])
def test_a_driver_that_keeps_logs_shows_them(engine: Engine, driver: str) -> None:
    container = made(engine, "echo kept", "--log-driver", driver)
    assert engine.docker("logs", container).stdout == "kept\n"
    shown = engine.docker("inspect", "-f", "{{.HostConfig.LogConfig.Type}}", container).stdout
    assert shown.strip() == driver
    engine.docker("rm", container)


def test_no_driver_keeps_nothing_and_says_so(engine: Engine) -> None:
    container = made(engine, "echo lost", "--log-driver", "none")
    refused = engine.docker("logs", container, check=False)
    assert refused.returncode == 1
    assert "configured logging driver does not support reading" in refused.stderr
    assert files(engine, container) == []
    engine.docker("rm", container)


def test_the_log_of_an_earlier_run_stays_before_that_of_the_next(engine: Engine) -> None:
    container = made(engine, "echo run; echo done >&2")
    engine.docker("start", container)
    engine.docker("wait", container)
    shown = engine.docker("logs", container)
    assert (shown.stdout, shown.stderr) == ("run\nrun\n", "done\ndone\n")
    engine.docker("rm", container)
