"""Mounts that are added to and removed from a container without losing it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.api import Api
from tests.support.engine import Engine
from tests.system.test_volumes import wherry


@pytest.fixture
def box(engine: Engine) -> Iterator[str]:
    engine.docker("run", "-d", "--name", "box", "busybox", "sleep", "1000")
    yield "box"
    engine.docker("rm", "-f", "-v", "box")


def update(engine: Engine, *words: str) -> str:
    """Changes the box; an error's text, empty if there is none."""
    done = wherry(engine, "update", *words, "box")
    return done.stderr.decode() if done.returncode else ""


def inside(engine: Engine, script: str) -> str:
    return engine.docker("exec", "box", "sh", "-c", script, check=False).stdout


def test_a_volume_comes_to_a_running_container_and_stays_over_its_restart(
    engine: Engine, box: str
) -> None:
    pid = engine.docker("inspect", "-f", "{{.State.Pid}}", box).stdout
    assert update(engine, "--mount-add", "type=volume,src=late,dst=/data/late") == ""
    assert inside(engine, "echo kept >/data/late/f; grep -c ' /data/late ' /proc/mounts") == "1\n"
    assert engine.docker("inspect", "-f", "{{.State.Pid}}", box).stdout == pid
    assert "volume is in use" in engine.docker("volume", "rm", "late", check=False).stderr
    engine.docker("restart", "-t", "0", box)
    assert inside(engine, "cat /data/late/f") == "kept\n"
    shown = json.loads(engine.docker("inspect", box).stdout)[0]
    assert [(item["Type"], item["Name"], item["Destination"]) for item in shown["Mounts"]] == [
        ("volume", "late", "/data/late")
    ]
    assert shown["HostConfig"]["Mounts"][0]["Source"] == "late"


def test_a_removed_mount_is_gone_and_its_volume_free(engine: Engine, box: str) -> None:
    assert update(engine, "--mount-add", "type=volume,src=brief,dst=/brief") == ""
    assert update(engine, "--mount-rm", "/brief") == ""
    assert inside(engine, "grep -c ' /brief ' /proc/mounts") == "0\n"
    engine.docker("volume", "rm", "brief")
    assert engine.docker("inspect", "-f", "{{len .Mounts}}", box).stdout == "0\n"


def test_files_directories_and_images_can_be_bound_read_only(
    engine: Engine, box: str, tmp_path: Path
) -> None:
    file = tmp_path / "settings"
    file.write_text("a=b\n")
    assert update(engine, "--mount-add", f"type=bind,src={file},dst=/etc/settings,readonly",
                  "--mount-add", f"type=bind,src={tmp_path},dst=/host", "--mount-add",
                  "type=image,src=busybox,dst=/img") == ""  # fmt: skip
    assert inside(engine, "cat /etc/settings /host/settings; ls /img/bin/busybox") == (
        "a=b\na=b\n/img/bin/busybox\n"
    )
    script = "for f in /etc/settings /img/x; do echo x >$f || echo refused; done 2>/dev/null"
    assert inside(engine, script) == "refused\nrefused\n"
    assert update(engine, "--mount-rm", "/etc/settings", "--mount-rm", "/img") == ""
    assert inside(engine, "cat /etc/settings; ls /img") == ""


def test_a_stopped_container_gets_its_mounts_at_the_next_start(engine: Engine, box: str) -> None:
    engine.docker("stop", "-t", "0", box)
    assert update(engine, "--mount-add", "type=tmpfs,dst=/scratch") == ""
    engine.docker("start", box)
    assert inside(engine, "grep -c ' /scratch tmpfs' /proc/mounts") == "1\n"


def test_a_container_in_a_user_namespace_gets_a_mount_with_its_ids(engine: Engine) -> None:
    api = Api(engine.socket)
    body = {"Image": "busybox", "Cmd": ["sleep", "1000"], "HostConfig": {"UsernsMode": "auto"}}
    api.post("/containers/create?name=box", body)
    engine.docker("start", "box")
    assert update(engine, "--mount-add", "type=volume,src=mapped,dst=/data") == ""
    assert inside(engine, "echo x >/data/f; stat -c %u /data/f") == "0\n"
    assert (engine.data / "volumes/mapped/_data/f").stat().st_uid == 0
    engine.docker("rm", "-f", "box")


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("--mount-add", "type=bind,src=/nosuch,dst=/x"), "bind source path does not exist"),
        (("--mount-add", "type=tmpfs,dst=/x"), "cannot be added while container box runs"),
        (("--mount-add", "type=volume,src=v1,dst=/bin/busybox"), "not a directory"),
        (("--mount-add", "type=image,src=nosuch,dst=/x"), "No such image"),
        (("--mount-rm", "/nosuch"), "has no mount at /nosuch"),
    ],
)
def test_what_cannot_be_leaves_the_container_as_it_was(
    engine: Engine, box: str, words: tuple[str, ...], text: str
) -> None:
    before = inside(engine, "cat /proc/mounts"), engine.docker("inspect", box).stdout
    assert text in update(engine, "--mount-add", "type=volume,src=good,dst=/good", *words)
    assert (inside(engine, "cat /proc/mounts"), engine.docker("inspect", box).stdout) == before
    engine.docker("volume", "rm", "good", check=False)
    assert "good" not in engine.docker("volume", "ls", "-q").stdout.split()
