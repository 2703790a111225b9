"""Restart policies: who is started again, after what delay, and who is not."""

import json
from datetime import datetime
from typing import Any

from tests.support.engine import Engine

FAILING = ("busybox", "sh", "-c", "exit 7")


def state(engine: Engine, name: str) -> dict[str, Any]:
    shown: dict[str, Any] = json.loads(engine.docker("inspect", name).stdout)[0]
    return {**shown["State"], "RestartCount": shown["RestartCount"]}


def events(engine: Engine, name: str, action: str, count: int) -> list[dict[str, Any]]:
    """The first so many events of a kind, awaited."""
    reading = engine.spawn("events", "--since", "1", "--filter", f"container={name}", "--filter",
                           f"event={action}", "--format", "{{json .}}")  # fmt: skip
    assert reading.stdout
    found = [json.loads(reading.stdout.readline()) for _ in range(count)]
    reading.kill()
    reading.communicate()
    return found


def test_a_number_of_failures_is_retried_with_growing_delays(engine: Engine) -> None:
    engine.docker("run", "-d", "--name", "fails", "--restart", "on-failure:3", *FAILING)
    ends = [item["timeNano"] for item in events(engine, "fails", "die", 4)]
    starts = [item["timeNano"] for item in events(engine, "fails", "start", 4)]
    delays = [(start - end) / 1e9 for start, end in zip(starts[1:], ends, strict=False)]
    assert delays[0] >= 0.1
    assert delays[1] >= 0.2
    assert delays[2] >= 0.4
    assert engine.docker("wait", "fails").stdout.strip() == "7"
    found = state(engine, "fails")
    assert (found["Status"], found["ExitCode"], found["RestartCount"]) == ("exited", 7, 3)
    engine.docker("rm", "fails")


def test_success_ends_what_restarts_on_failure(engine: Engine) -> None:
    script = "[ -e /again ] && exit 0; touch /again; exit 1"
    engine.docker("run", "-d", "--name", "once", "--restart", "on-failure", "busybox", "sh", "-c",
                  script)  # fmt: skip
    codes = [item["Actor"]["Attributes"]["exitCode"] for item in events(engine, "once", "die", 2)]
    assert codes == ["1", "0"]
    assert engine.docker("wait", "once").stdout.strip() == "0"
    assert state(engine, "once")["RestartCount"] == 1
    engine.docker("rm", "once")


def test_what_always_restarts_does_so_after_success_and_until_it_is_stopped(
    engine: Engine,
) -> None:
    engine.docker("run", "-d", "--name", "always", "--restart", "always", "busybox", "sleep", "0.1")
    events(engine, "always", "start", 3)
    engine.docker("stop", "-t", "1", "always")
    count = state(engine, "always")["RestartCount"]
    assert state(engine, "always")["Status"] == "exited"
    assert count >= 2
    engine.docker("start", "always")
    assert state(engine, "always")["RestartCount"] == 0
    engine.docker("rm", "-f", "always")


def test_a_container_that_waits_to_restart_can_be_removed_and_stopped(engine: Engine) -> None:
    for verb in (("rm", "-f"), ("stop",)):
        engine.docker("run", "-d", "--name", "waits", "--restart", "always", *FAILING)
        events(engine, "waits", "die", 5)  # the next start is a second and more away
        assert state(engine, "waits")["Status"] in ("restarting", "running")
        engine.docker(*verb, "waits")
    assert state(engine, "waits")["Status"] == "exited"
    engine.docker("rm", "waits")


def test_an_update_ends_restarting(engine: Engine) -> None:
    engine.docker("run", "-d", "--name", "changed", "--restart", "always", *FAILING)
    events(engine, "changed", "die", 2)
    engine.docker("update", "--restart", "no", "changed")
    engine.docker("wait", "changed")
    shown = engine.docker("inspect", "-f", "{{.HostConfig.RestartPolicy.Name}}", "changed").stdout
    assert shown == "no\n"
    engine.docker("rm", "-f", "changed")


def test_restart_stops_and_starts_with_another_process(engine: Engine) -> None:
    engine.docker("run", "-d", "--name", "box", "--stop-timeout", "0", "busybox", "sleep", "1000")
    before = state(engine, "box")
    engine.docker("restart", "box")
    after = state(engine, "box")
    assert after["Status"] == "running"
    assert after["Pid"] != before["Pid"]
    assert datetime.fromisoformat(after["StartedAt"]) > datetime.fromisoformat(before["StartedAt"])
    assert after["RestartCount"] == 0
    actions = [
        events(engine, "box", action, 1)[0]["Action"] for action in ("kill", "die", "restart")
    ]
    assert actions == ["kill", "die", "restart"]
    engine.docker("rm", "-f", "box")
