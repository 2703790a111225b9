"""`--userns auto`: root inside is nobody outside, and everything looks like any container."""

import contextlib
import io
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from tests.support.engine import Engine
from tests.support.patience import patience

WHERRY = Path(__file__).parents[2] / "bin" / "wherry"
NAMESPACES = ("stat", "-Lc", "%i", "/proc/self/ns/user", "/proc/self/ns/net")
"""Tells which user and network namespace a command runs in."""

TICKS = "while :; do echo tick; sleep 0.1; done"


def wherry(engine: Engine, *words: str, check: bool = True) -> str:
    """Runs the project's own command line; docker's refuses the mode before it is asked."""
    done = subprocess.run(
        [sys.executable, str(WHERRY), "-H", f"unix://{engine.socket}", *words],
        capture_output=True, text=True, check=False, timeout=patience(60),
    )  # fmt: skip
    assert not check or done.returncode == 0, f"{words}: {done.stderr}\n{engine.log()[-2000:]}"
    return done.stdout if check else done.stderr


def run(engine: Engine, *words: str) -> str:
    """Runs a container in a user namespace of its own to its end."""
    return wherry(engine, "run", "--rm", "--userns", "auto", *words)


def detached(engine: Engine, *words: str, name: str = "box") -> None:
    """Starts a container in a user namespace of its own that stays."""
    wherry(engine, "run", "-d", "--name", name, "--userns", "auto", *words)


def first_id(engine: Engine, name: str) -> int:
    """What root of a running container is on the host."""
    pid = int(engine.docker("inspect", "-f", "{{.State.Pid}}", name).stdout)
    line = Path(f"/proc/{pid}/uid_map").read_text().split()
    assert line[0] == "0"
    assert line[2] == "65536"
    return int(line[1])


def test_root_inside_is_nobody_outside_and_owns_its_files(engine: Engine) -> None:
    detached(engine, "busybox", "sleep", "100")
    pid = int(engine.docker("inspect", "-f", "{{.State.Pid}}", "box").stdout)
    root = first_id(engine, "box")
    assert root > 65536
    status = Path(f"/proc/{pid}/status").read_text()
    assert f"Uid:\t{root}\t{root}\t{root}\t{root}\n" in status
    assert f"Gid:\t{root}\t{root}\t{root}\t{root}\n" in status
    script = "id -u; stat -c %u:%g / /bin/busybox /etc/passwd /etc/hosts"
    shown = engine.docker("exec", "box", "sh", "-c", script).stdout
    assert shown.split() == ["0", "0:0", "0:0", "0:0", "0:0"]
    shown = engine.docker("exec", "box", "cat", "/proc/self/uid_map", "/proc/self/gid_map").stdout
    assert shown.split() == ["0", str(root), "65536"] * 2
    shown = engine.docker("exec", "box", "cat", "/proc/self/setgroups", "/proc/self/oom_score_adj")
    assert shown.stdout.split() == ["allow", "0"]
    assert engine.docker("exec", "-u", "joe", "box", "id", "-u").stdout == "1000\n"
    assert engine.docker("inspect", "-f", "{{.HostConfig.UsernsMode}}", "box").stdout == "auto\n"
    engine.docker("rm", "-f", "box")


def test_everything_that_a_container_mounts_is_there(engine: Engine) -> None:
    script = (
        "echo out > /dev/stdout; echo x > /dev/null; head -c1 /dev/zero | wc -c; "
        "echo q > /etc/hosts && cat /etc/hosts; ls /sys/class/net; touch /dev/shm/s && echo shm; "
        "grep -c . /proc/self/cgroup > /dev/null && echo cgroup; ls /sys/fs/cgroup | wc -l; "
        "echo 1 > /proc/sys/kernel/domainname; ulimit -n; ulimit -Hn"
    )
    found = run(engine, "--network", "none", "--ulimit", "nofile=100:200", "busybox", "sh",
                "-c", script).split()  # fmt: skip
    assert found[:4] == ["out", "1", "q", "lo"]
    assert found[4:6] == ["shm", "cgroup"]
    assert int(found[6]) > 0
    assert found[7:] == ["100", "200"]


def test_a_terminal_and_an_init_work(engine: Engine) -> None:
    near, far = os.openpty()
    command = "tty; id -u; stat -c %u /dev/console; cat /proc/1/comm"
    with subprocess.Popen(
        [sys.executable, str(WHERRY), "-H", f"unix://{engine.socket}", "run", "--rm", "-it",
         "--init", "--userns", "auto", "busybox", "sh", "-c", command],
        stdin=far, stdout=far, stderr=far,
    ) as process:  # fmt: skip
        os.close(far)
        shown = b""
        with contextlib.suppress(OSError):  # EIO: the other end is closed
            while data := os.read(near, 4096):
                shown += data
        os.close(near)
        assert process.wait(60) == 0
    assert shown.split() == [b"/dev/pts/0", b"0", b"0", b"docker-init"]


def test_the_network_is_its_own(engine: Engine) -> None:
    script = "ip -o addr show eth0; ip link set lo down && ip link set lo up && echo mine"
    found = run(engine, "--cap-add", "NET_ADMIN", "busybox", "sh", "-c", script)
    assert "inet " in found
    assert "mine" in found


def test_containers_have_ranges_of_their_own_kept_over_restarts_of_both(engine: Engine) -> None:
    for name in ("box-a", "box-b"):
        detached(engine, "busybox", "sh", "-c", TICKS, name=name)
    first = {name: first_id(engine, name) for name in ("box-a", "box-b")}
    assert abs(first["box-a"] - first["box-b"]) >= 65536
    engine.kill()
    engine.start()
    assert engine.docker("exec", "box-a", "id", "-u").stdout == "0\n"
    assert engine.docker("top", "box-a", "-o", "pid,comm").stdout.split()[3] == "sh"
    with engine.spawn("attach", "--no-stdin", "box-a") as attached:
        assert attached.stdout
        assert attached.stdout.readline() == b"tick\n"
        attached.kill()
    engine.docker("restart", "-t", "0", "box-a")
    detached(engine, "busybox", "sleep", "100")
    assert first_id(engine, "box-a") == first["box-a"]
    assert first_id(engine, "box") not in first.values()
    engine.docker("rm", "-f", "box-b")
    detached(engine, "busybox", "sleep", "100", name="box-d")
    assert first_id(engine, "box-d") == first["box-b"]
    engine.docker("rm", "-f", "box-a", "box", "box-d")


def test_volumes_and_binds_hold_files_as_they_are_owned_inside(
    engine: Engine, tmp_path: Path
) -> None:
    tmp_path.chmod(0o700)
    (tmp_path / "given").write_text("given")
    os.chown(tmp_path / "given", 1000, 1000)
    script = "touch /v/root /b/root; chown 1000:1000 /b/root; stat -c %u /b/given > /v/seen"
    run(engine, "-v", "vol:/v", "-v", f"{tmp_path}:/b", "busybox", "sh", "-c", script)
    shown = engine.docker("volume", "inspect", "-f", "{{.Mountpoint}}", "vol").stdout
    volume = Path(shown.strip())
    assert (volume / "root").stat().st_uid == 0
    assert (volume / "seen").read_text() == "1000\n"
    assert (tmp_path / "root").stat().st_uid == 1000
    # Another container, mapped elsewhere or not at all, sees the same owners.
    assert run(engine, "-v", "vol:/v", "busybox", "stat", "-c", "%u", "/v/root") == "0\n"
    assert engine.docker("run", "--rm", "-v", "vol:/v", "busybox", "stat", "-c", "%u",
                         "/v/root").stdout == "0\n"  # fmt: skip


def test_what_is_taken_out_of_it_has_the_images_ids(engine: Engine, tmp_path: Path) -> None:
    script = "echo new > /new; chown 1000:1000 /new; mkdir /d; touch /d/r; rm /bin/ls; sleep 100"
    detached(engine, "busybox", "sh", "-c", script)
    engine.docker("exec", "box", "sh", "-c", "while [ -e /bin/ls ]; do :; done")
    assert {"A /new", "A /d", "A /d/r", "D /bin/ls"} <= set(
        engine.docker("diff", "box").stdout.split("\n")
    )
    for running in (True, False):
        with tarfile.open(
            fileobj=io.BytesIO(engine.docker_bytes("cp", "box:/new", "-"))
        ) as archive:
            assert archive.getmember("new").uid == 1000
        (tmp_path / "in").write_text("in")
        os.chown(tmp_path / "in", 0, 0)
        engine.docker("cp", "-a", f"{tmp_path}/in", f"box:/in{running}")
        with tarfile.open(fileobj=io.BytesIO(engine.docker_bytes("export", "box"))) as archive:
            assert archive.getmember("new").uid == 1000
            assert archive.getmember("d/r").uid == 0
            assert archive.getmember("etc/passwd").uid == 0
            assert archive.getmember(f"in{running}").uid == 0
        if running:
            engine.docker("commit", "box", "committed")
            engine.docker("stop", "-t", "0", "box")
    shown = engine.docker("run", "--rm", "committed", "stat", "-c", "%u", "/new", "/d/r").stdout
    assert shown.split() == ["1000", "0"]
    assert run(engine, "committed", "stat", "-c", "%u", "/new", "/d/r").split() == ["1000", "0"]
    engine.docker("rm", "-f", "box")


def test_who_joins_its_network_joins_its_user_namespace(engine: Engine) -> None:
    detached(engine, "--ipc", "shareable", "busybox", "sleep", "100")
    own = engine.docker("exec", "box", *NAMESPACES).stdout
    for mode in ((), ("--userns", "auto")):
        joined = wherry(
            engine, "run", "--rm", *mode, "--network", "container:box", "--ipc", "container:box",
            "--pid", "container:box", "busybox", "sh", "-c",
            f"{' '.join(NAMESPACES)}; stat -c %u /; "
            "cat /proc/1/comm; ls /sys/class/net | wc -w",
        )  # fmt: skip
        assert joined.startswith(own)
        assert joined.removeprefix(own).split()[:2] == ["0", "sleep"]
    host = engine.docker("run", "--rm", "--userns", "host", "--network", "container:box", "busybox",
                         *NAMESPACES).stdout  # fmt: skip
    assert int(host.split()[0]) == Path("/proc/self/ns/user").stat().st_ino
    engine.docker("run", "-d", "--name", "plain", "busybox", "sleep", "100")
    refused = wherry(engine, "run", "--userns", "auto", "--network", "container:plain", "busybox",
                     "true", check=False)  # fmt: skip
    assert "cannot join the namespaces of a container that runs in the host's" in refused
    engine.docker("rm", "-f", "box", "plain")


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--privileged"], "privileged mode is incompatible with user namespaces"),
        (["--network", "host"], "cannot share the host's network namespace when user namespaces"),
        (["--pid", "host"], "cannot share the host PID namespace when user namespaces"),
        (["-v", "/proc:/p"], "cannot be mounted with mapped ids"),
    ],
)
def test_what_a_user_namespace_rules_out_is_said(
    engine: Engine, words: list[str], text: str
) -> None:
    refused = wherry(engine, "run", "--rm", "--userns", "auto", *words, "busybox", "true",
                     check=False)  # fmt: skip
    assert text in refused


def test_devices_of_the_host_are_bound(engine: Engine) -> None:
    found = run(engine, "--device", "/dev/zero:/dev/nought", "busybox", "sh", "-c",
                "head -c 3 /dev/nought | wc -c")  # fmt: skip
    assert found == "3\n"


def test_a_limit_and_a_health_check_work_as_everywhere(engine: Engine) -> None:
    detached(engine, "--memory", "64m", "--health-cmd", "test $(id -u) = 0", "--health-interval",
             "100ms", "busybox", "sleep", "100")  # fmt: skip
    environment = {**os.environ, "DOCKER_HOST": f"unix://{engine.socket}"}
    with subprocess.Popen(
        ["docker", "events", "--since", "1", "--filter", "event=health_status: healthy",
         "--format", "{{json .}}"], stdout=subprocess.PIPE, env=environment,
    ) as events:  # fmt: skip
        assert events.stdout
        assert "healthy" in json.loads(events.stdout.readline())["status"]
        events.kill()
    assert engine.docker("top", "box", "-o", "pid,comm").stdout.split()[-1] == "sleep"
    engine.docker("pause", "box")
    engine.docker("unpause", "box")
    engine.docker("rm", "-f", "box")
