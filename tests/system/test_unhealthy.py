"""`--restart unhealthy`: containers that their health check calls ill are started again."""

import json

from tests.support.engine import Engine

CHECK = (
    "--health-cmd",
    "test ! -e /tmp/ill",
    "--health-interval",
    "100ms",
    "--health-retries",
    "1",
)


def await_event(engine: Engine, name: str, event: str, times: int = 1) -> None:
    """Returns when a container has had an event so many times."""
    reading = engine.spawn("events", "--since", "1", "--filter", f"container={name}", "--filter",
                           f"event={event}", "--format", "{{.Action}}")  # fmt: skip
    assert reading.stdout
    for _ in range(times):
        assert reading.stdout.readline().startswith(event.encode())
    reading.kill()
    reading.communicate()


def test_an_ill_container_is_started_again_whatever_code_it_ends_with(engine: Engine) -> None:
    engine.docker("run", "-d", "--name", "ill", "--restart", "unhealthy", *CHECK, "busybox", "sh",
                  "-c", "rm -f /tmp/ill; trap 'exit 0' TERM; sleep 1000 & wait")  # fmt: skip
    await_event(engine, "ill", "health_status")
    first = engine.docker("inspect", "-f", "{{.State.Pid}}", "ill").stdout
    engine.docker("exec", "ill", "touch", "/tmp/ill")
    await_event(engine, "ill", "start", times=2)
    state = json.loads(engine.docker("inspect", "ill").stdout)[0]
    assert state["RestartCount"] == 1
    assert state["HostConfig"]["RestartPolicy"] == {"Name": "unhealthy", "MaximumRetryCount": 0}
    assert f"{state['State']['Pid']}\n" != first
    engine.docker("rm", "-f", "ill")


def test_a_number_of_retries_bounds_it(engine: Engine) -> None:
    engine.docker("run", "-d", "--name", "hopeless", "--restart", "unhealthy:1", "--health-cmd",
                  "false", "--health-interval", "100ms", "--health-retries", "1", "busybox",
                  "sleep", "1000")  # fmt: skip
    await_event(engine, "hopeless", "health_status", times=2)
    state = json.loads(engine.docker("inspect", "hopeless").stdout)[0]
    assert (state["State"]["Status"], state["RestartCount"]) == ("running", 1)
    assert state["State"]["Health"]["Status"] == "unhealthy"
    engine.docker("rm", "-f", "hopeless")


def test_one_that_a_user_stops_stays_stopped(engine: Engine) -> None:
    engine.docker("run", "-d", "--name", "stopped", "--restart", "unhealthy", *CHECK, "busybox",
                  "sleep", "1000")  # fmt: skip
    engine.docker("stop", "-t", "0", "stopped")
    assert engine.docker("inspect", "-f", "{{.State.Status}}", "stopped").stdout == "exited\n"
    engine.docker("rm", "stopped")
