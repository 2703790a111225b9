"""Health checks: what is kept of them, when they run, and how one that takes too long ends."""

import json
import time
from typing import Any

import pytest

from tests.support.engine import Engine


def health(engine: Engine, name: str) -> dict[str, Any]:
    return dict(json.loads(engine.docker("inspect", name).stdout)[0]["State"]["Health"])


def wait_for(engine: Engine, name: str, action: str) -> None:
    """Returns when an event of the container has come, now or before."""
    reading = engine.spawn("events", "--since", "1", "--filter", f"container={name}",
                           "--format", "{{.Action}}")  # fmt: skip
    assert reading.stdout
    while (line := reading.stdout.readline().decode().strip()) != action:
        assert line, f"no {action}"
    reading.kill()
    reading.communicate()


def checked(engine: Engine, name: str, test: str, *options: str) -> None:
    engine.docker("run", "-d", "--name", name, "--network", "none", "--health-cmd", test,
                  "--health-interval", "50ms", *options, "busybox", "sleep", "1000")  # fmt: skip


def results(engine: Engine, name: str, count: int) -> list[dict[str, Any]]:
    """The results, once there are so many."""
    deadline = time.monotonic() + 30
    while len(found := health(engine, name)["Log"] or []) < count:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return list(found)


def test_a_container_becomes_healthy_and_then_unhealthy(engine: Engine) -> None:
    checked(
        engine, "turns", "test ! -e /ill || { echo very ill; exit 3; }", "--health-retries", "2"
    )
    wait_for(engine, "turns", "health_status: healthy")
    assert health(engine, "turns")["Status"] == "healthy"
    assert "(healthy)" in engine.docker("ps", "--filter", "name=turns").stdout
    engine.docker("exec", "turns", "touch", "/ill")
    wait_for(engine, "turns", "health_status: unhealthy")
    found = health(engine, "turns")
    assert found["Status"] == "unhealthy"
    assert found["FailingStreak"] >= 2
    assert (found["Log"][-1]["ExitCode"], found["Log"][-1]["Output"]) == (3, "very ill\n")
    listed = engine.docker("ps", "-q", "--filter", "health=unhealthy", "--no-trunc").stdout.split()
    assert len(listed) == 1
    engine.docker("rm", "-f", "turns")


def test_the_last_five_results_are_kept_with_4096_bytes_of_output(engine: Engine) -> None:
    checked(engine, "talks", "n=$(cat /n 2>/dev/null || echo 0); echo $((n+1)) >/n; echo run $n; "
            "head -c 9000 /dev/zero | tr '\\0' x")  # fmt: skip
    deadline = time.monotonic() + 30
    while "run 7" not in str(found := results(engine, "talks", 5)):
        assert time.monotonic() < deadline
    assert len(found) == 5
    numbers = [int(item["Output"].split()[1]) for item in found]
    assert numbers == list(range(numbers[0], numbers[0] + 5))
    assert all(len(item["Output"]) == 4096 + len("...") for item in found)
    assert all(item["Start"] < item["End"] for item in found)
    engine.docker("rm", "-f", "talks")


def test_a_check_that_takes_too_long_is_killed(engine: Engine) -> None:
    checked(engine, "slow", "echo begun; exec sleep 1234", "--health-timeout", "200ms",
            "--health-retries", "1")  # fmt: skip
    wait_for(engine, "slow", "health_status: unhealthy")
    result = results(engine, "slow", 1)[0]
    assert result["ExitCode"] == -1
    assert result["Output"].startswith("Health check exceeded timeout (200ms)")
    assert "begun" in result["Output"]
    deadline = time.monotonic() + 30
    while engine.docker("top", "slow").stdout.count("sleep 1234") > 1:
        assert time.monotonic() < deadline
    engine.docker("rm", "-f", "slow")


def test_failures_do_not_count_while_it_starts_and_checks_come_sooner(engine: Engine) -> None:
    engine.docker("run", "-d", "--name", "starts", "--health-cmd", "test -e /ready",
                  "--health-interval", "1h", "--health-start-period", "1h",
                  "--health-start-interval", "50ms", "--health-retries", "1", "busybox",
                  "sleep", "1000")  # fmt: skip
    assert all(item["ExitCode"] == 1 for item in results(engine, "starts", 3))
    assert health(engine, "starts")["Status"] == "starting"
    engine.docker("exec", "starts", "touch", "/ready")
    wait_for(engine, "starts", "health_status: healthy")
    engine.docker("rm", "-f", "starts")


def test_a_check_runs_as_the_containers_user_with_its_variables(engine: Engine) -> None:
    checked(engine, "joes", "id -un; pwd; echo $COLOUR", "--user", "joe", "--workdir", "/tmp",
            "--env", "COLOUR=red")  # fmt: skip
    assert results(engine, "joes", 1)[0]["Output"] == "joe\n/tmp\nred\n"
    engine.docker("rm", "-f", "joes")


@pytest.mark.parametrize("options", [("--no-healthcheck",), ()])
def test_without_a_check_there_is_no_health(engine: Engine, options: tuple[str, ...]) -> None:
    engine.docker("run", "-d", "--name", "plain", *options, "busybox", "sleep", "1000")
    assert "Health" not in json.loads(engine.docker("inspect", "plain").stdout)[0]["State"]
    engine.docker("rm", "-f", "plain")


def test_checks_go_on_after_a_crash_of_the_daemon(engine: Engine) -> None:
    checked(engine, "survives", "true")
    wait_for(engine, "survives", "health_status: healthy")
    engine.kill()
    engine.start()
    wait_for(engine, "survives", "health_status: healthy")
    engine.docker("rm", "-f", "survives")
