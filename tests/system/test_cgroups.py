"""Control groups as users meet them, on either version: limits, statistics, freezing, kills."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.support.engine import Engine
from tests.support.systemd import needs_systemd
from wherry.linux.cgroup.layout import CgroupLayout

LAYOUT = CgroupLayout.detect()


def value(engine: Engine, name: str, controller: str, first: str, second: str) -> str:
    """What a file of a container's group holds; named by version 1 and by version 2."""
    pid = engine.docker("inspect", "-f", "{{.State.Pid}}", name).stdout.strip()
    paths = LAYOUT.own_path(pid)
    if LAYOUT.version == 2:
        return Path(f"{LAYOUT.root}{paths['']}/{second}").read_text().strip()
    return Path(f"{LAYOUT.controllers[controller]}{paths[controller]}/{first}").read_text().strip()


@pytest.fixture
def box(engine: Engine) -> str:
    """A container that sleeps, with limits."""
    engine.docker("rm", "-f", "box", check=False)
    engine.docker("run", "-d", "--name", "box", "--memory", "64m", "--cpus", "0.5",
                  "--pids-limit", "50", "busybox", "sleep", "1000")  # fmt: skip
    return "box"


def memory(engine: Engine) -> str:
    return value(engine, "box", "memory", "memory.limit_in_bytes", "memory.max")


def test_a_program_that_takes_more_than_its_memory_is_killed_and_that_is_told(
    engine: Engine,
) -> None:
    done = engine.docker("run", "--name", "greedy", "--memory", "16m", "--memory-swap", "16m",
                         "busybox", "tail", "/dev/zero", check=False)  # fmt: skip
    assert done.returncode == 137
    assert engine.docker("inspect", "-f", "{{.State.OOMKilled}}", "greedy").stdout == "true\n"
    engine.docker("rm", "greedy")


def test_limits_are_changed_while_the_container_runs(engine: Engine, box: str) -> None:
    assert memory(engine) == str(64 << 20)
    engine.docker("update", "--memory", "32m", "--memory-swap", "64m", "--cpus", "0.25",
                  "--pids-limit", "70", box)  # fmt: skip
    assert memory(engine) == str(32 << 20)
    assert value(engine, box, "pids", "pids.max", "pids.max") == "70"
    assert value(engine, box, "cpu", "cpu.cfs_quota_us", "cpu.max").split()[0] == "25000"


@needs_systemd
def test_a_reload_of_systemd_keeps_what_was_changed(engine: Engine, box: str) -> None:
    engine.docker("update", "--memory", "48m", "--memory-swap", "96m", box)
    subprocess.run(["systemctl", "daemon-reload"], check=True)
    assert memory(engine) == str(48 << 20)
    assert value(engine, box, "pids", "pids.max", "pids.max") == "50"


def test_statistics_are_those_of_the_group(engine: Engine, box: str) -> None:
    line = engine.docker("stats", "--no-stream", "--format", "{{json .}}", box).stdout
    shown = json.loads(line)
    assert shown["Name"] == "box"
    assert shown["MemUsage"].endswith(" / 64MiB")
    assert shown["MemUsage"].split()[0] != "0B"
    assert shown["PIDs"] == "1"


def test_a_paused_container_is_frozen_and_can_be_killed(engine: Engine, box: str) -> None:
    engine.docker("pause", box)
    assert engine.docker("inspect", "-f", "{{.State.Status}}", box).stdout == "paused\n"
    frozen = value(engine, box, "freezer", "freezer.state", "cgroup.events")
    assert frozen == "FROZEN" if LAYOUT.version == 1 else "frozen 1" in frozen
    assert engine.docker("exec", box, "true", check=False).returncode == 1
    engine.docker("rm", "-f", box)
    assert engine.docker("ps", "-aq", "--filter", "name=box").stdout == ""


def test_a_device_that_was_not_given_cannot_be_opened(engine: Engine) -> None:
    script = "mknod /tmp/kmsg c 1 11 && : > /tmp/kmsg"
    refused = engine.docker("run", "--rm", "busybox", "sh", "-c", script, check=False)
    assert refused.returncode == 1
    assert "peration not permitted" in refused.stderr
    engine.docker("run", "--rm", "--device", "/dev/kmsg", "busybox", "sh", "-c", ": > /dev/kmsg")
