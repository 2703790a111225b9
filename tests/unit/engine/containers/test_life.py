"""States, restart policies, waits and health: what needs no process."""

import asyncio
from typing import Any

import msgspec
import pytest

from wherry.base.errors import InvalidParameter
from wherry.engine.containers.container import Container, Health, HealthResult, Record, State
from wherry.engine.containers.health import go_duration, interval_of, judge, probe_command
from wherry.engine.containers.restart_policy import (
    next_delay,
    restarts_after_exit,
    restarts_with_daemon,
)
from wherry.engine.containers.update import changed_fields, merge_update
from wherry.engine.containers.wait import Waiting
from wherry.engine.state_machine import TRANSITIONS, ImpossibleTransition, check_transition
from wherry.model.docker.container import (
    ContainerConfig,
    HostConfig,
    RestartPolicy,
    UpdateRequest,
)
from wherry.model.image_config import HealthConfig

SECOND = 10**9


def make(**state: Any) -> Container:
    record = Record(
        id="a" * 64, name="one", created="2026-01-02T03:04:05.6Z", image_id="sha256:" + "b" * 64,
        image="busybox", config=ContainerConfig(), host=HostConfig(), path="sleep", args=("9",),
        state=State(**state),
    )  # fmt: skip
    return Container(record)


def move(container: Container, **state: Any) -> None:
    changed = msgspec.structs.replace(container.state, **state)
    container.record = msgspec.structs.replace(container.record, state=changed)


@pytest.mark.parametrize("before", sorted(TRANSITIONS))
@pytest.mark.parametrize("after", sorted(TRANSITIONS))
def test_only_the_tables_transitions_are_possible(before: str, after: str) -> None:
    if before == after or after in TRANSITIONS[before]:
        check_transition(before, after)
        return
    with pytest.raises(ImpossibleTransition, match=f"from {before} to {after}"):
        check_transition(before, after)


def test_the_delay_doubles_to_a_minute_and_begins_anew_after_ten_seconds() -> None:
    delays, delay = [], 0.0
    for _ in range(12):
        delay = next_delay(delay, ran=0.1)
        delays.append(delay)
    assert delays[:4] == [0.1, 0.2, 0.4, 0.8]
    assert delays[-1] == 60.0
    assert next_delay(60.0, ran=10.0) == 0.1


@pytest.mark.parametrize(
    ("policy", "state", "code", "expected"),
    [
        (RestartPolicy("no"), State(), 1, False),
        (RestartPolicy("always"), State(), 0, True),
        (RestartPolicy("always"), State(manually_stopped=True), 0, False),
        (RestartPolicy("unless-stopped"), State(), 0, True),
        (RestartPolicy("on-failure"), State(), 0, False),
        (RestartPolicy("on-failure"), State(), 1, True),
        (RestartPolicy("on-failure", 2), State(restart_count=1), 1, True),
        (RestartPolicy("on-failure", 2), State(restart_count=2), 1, False),
    ],
)
def test_a_policy_decides_after_each_exit(
    policy: RestartPolicy, state: State, code: int, expected: bool
) -> None:
    assert restarts_after_exit(policy, state, code) is expected


def test_a_new_daemon_starts_even_stopped_containers_of_always() -> None:
    stopped = State(status="exited", manually_stopped=True)
    assert restarts_with_daemon(RestartPolicy("always"), stopped)
    assert not restarts_with_daemon(RestartPolicy("unless-stopped"), stopped)
    assert restarts_with_daemon(RestartPolicy("unless-stopped"), State(status="exited"))


def test_a_wait_for_what_is_so_already_ends_at_once() -> None:
    container = make(status="exited", exit_code=3)
    assert asyncio.run(Waiting(container, "not-running").result()) == (3, "")


@pytest.mark.parametrize("condition", ["not-running", "next-exit"])
def test_a_wait_ends_with_the_exit(condition: str) -> None:
    async def scenario() -> tuple[int, str]:
        container = make(status="running")
        waiting = asyncio.create_task(Waiting(container, condition).result())
        await asyncio.sleep(0)
        assert not waiting.done()
        move(container, status="exited", exit_code=7)
        container.exits += 1
        await container.notify()
        return await waiting

    assert asyncio.run(scenario()) == (7, "")


def test_a_wait_for_the_next_exit_does_not_take_the_last_one() -> None:
    async def scenario() -> bool:
        container = make(status="exited", exit_code=1)
        waiting = asyncio.create_task(Waiting(container, "next-exit").result())
        await container.notify()
        await asyncio.sleep(0)
        early = waiting.done()
        container.removed = True
        await container.notify()
        await waiting
        return early

    assert asyncio.run(scenario()) is False


def test_a_wait_for_removal_outlasts_the_exit() -> None:
    async def scenario() -> tuple[bool, tuple[int, str]]:
        container = make(status="running")
        waiting = asyncio.create_task(Waiting(container, "removed").result())
        await asyncio.sleep(0)
        move(container, status="exited", exit_code=5)
        container.exits += 1
        await container.notify()
        await asyncio.sleep(0)
        early = waiting.done()
        container.removed = True
        await container.notify()
        return early, await waiting

    assert asyncio.run(scenario()) == (False, (5, ""))


def test_an_unknown_condition_is_refused() -> None:
    with pytest.raises(InvalidParameter, match="invalid condition"):
        Waiting(make(), "never")


def result(code: int, at: str = "2026-01-01T00:01:00Z") -> HealthResult:
    return HealthResult(at, at, code, "")


def test_failures_in_a_row_make_a_container_unhealthy_and_one_success_heals_it() -> None:
    health, check = Health(), HealthConfig(retries=2)
    assert judge(check, health, result(1), 0) == "starting"
    assert judge(check, health, result(1), 0) == "unhealthy"
    assert health.failing_streak == 2
    assert judge(check, health, result(0), 0) == "healthy"
    assert health.failing_streak == 0
    assert judge(check, health, result(1), 0) == "healthy"


def test_failures_in_the_start_period_do_not_count() -> None:
    health, check = Health(), HealthConfig(retries=1, start_period=60 * SECOND)
    started = 1767225630 * SECOND  # half a minute before the result
    assert judge(check, health, result(1), started) == "starting"
    assert health.failing_streak == 0


def test_the_last_five_results_are_kept() -> None:
    health, check = Health(), HealthConfig()
    for code in range(7):
        judge(check, health, result(code), 0)
    assert [item.exit_code for item in health.log] == [2, 3, 4, 5, 6]


def test_checks_are_closer_together_while_the_container_starts() -> None:
    check = HealthConfig(interval=30 * SECOND, start_period=60 * SECOND, start_interval=SECOND)
    health = Health()
    assert interval_of(check, health, 0, 10 * SECOND) == 1.0
    assert interval_of(check, health, 0, 61 * SECOND) == 30.0
    health.status = "healthy"
    assert interval_of(check, health, 0, 10 * SECOND) == 30.0


@pytest.mark.parametrize(
    ("test", "shell", "expected"),
    [
        (["CMD", "probe", "-x"], None, ("probe", "-x")),
        (["CMD-SHELL", "a && b"], None, ("/bin/sh", "-c", "a && b")),
        (["CMD-SHELL", "a"], ["/bin/ash", "-c"], ("/bin/ash", "-c", "a")),
        (["NONE"], None, ()),
        ([], None, ()),
    ],
)
def test_a_health_check_is_words_or_a_line_for_the_shell(
    test: list[str], shell: list[str] | None, expected: tuple[str, ...]
) -> None:
    config = ContainerConfig(healthcheck=HealthConfig(test=test), shell=shell)
    assert probe_command(config) == expected


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [(300_000_000, "300ms"), (SECOND, "1s"), (90 * SECOND, "1m30s"), (3600 * SECOND, "1h0m0s")],
)
def test_durations_read_as_gos(nanoseconds: int, text: str) -> None:
    assert go_duration(nanoseconds) == text


def updated(host: HostConfig, request: UpdateRequest) -> HostConfig:
    return merge_update(host, request, changed_fields(request))


def test_an_update_changes_what_it_names() -> None:
    host = HostConfig(memory=64 << 20, cpu_shares=512)
    merged = updated(host, UpdateRequest(cpu_shares=100, restart_policy=RestartPolicy("always")))
    assert (merged.memory, merged.cpu_shares) == (64 << 20, 100)
    assert merged.restart_policy.name == "always"


@pytest.mark.parametrize(
    ("host", "request_", "message"),
    [
        (HostConfig(cpu_quota=10**5), UpdateRequest(nano_cpus=10**9), "CPU Quota has already been"),
        (HostConfig(nano_cpus=10**9), UpdateRequest(cpu_period=10**5), "NanoCPUs has already been"),
        (HostConfig(memory=1 << 26, memory_swap=1 << 27), UpdateRequest(memory=1 << 28),
         "already set memoryswap limit"),
        (HostConfig(auto_remove=True), UpdateRequest(restart_policy=RestartPolicy("always")),
         "AutoRemove is enabled"),
    ],
)  # fmt: skip
def test_an_update_that_contradicts_the_container_is_refused(
    host: HostConfig, request_: UpdateRequest, message: str
) -> None:
    with pytest.raises(InvalidParameter, match=message):
        updated(host, request_)
