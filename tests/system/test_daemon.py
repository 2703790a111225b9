"""The daemon as a service: its sockets, its end, its neighbours, its options."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.engine import Engine
from tests.support.patience import patience


@pytest.fixture
def own() -> Iterator[Engine]:
    """An engine for a test that ends it."""
    with Engine() as running:
        running.import_busybox()
        yield running
    assert running.leftovers() == []


def ask(path: str, timeout: float = 20) -> bytes:
    """The first bytes of the answer to a ping through a unix socket."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(timeout)
        client.connect(path)
        client.sendall(b"GET /_ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        return client.recv(1 << 16)


def test_a_container_that_has_the_socket_mounted_keeps_it_over_restarts(own: Engine) -> None:
    own.docker("run", "-d", "--name", "keeper", "-v", f"{own.socket}:/engine.sock", "busybox",
               "sleep", "1000")  # fmt: skip
    pid = own.docker("inspect", "-f", "{{.State.Pid}}", "keeper").stdout.strip()
    mounted = f"/proc/{pid}/root/engine.sock"
    assert b" 200 " in ask(mounted)
    own.kill()
    own.start()
    assert b" 200 " in ask(mounted)
    own.stop()
    own.start()
    assert b" 200 " in ask(mounted)


def test_without_a_daemon_clients_are_told_so_instead_of_hanging(own: Engine) -> None:
    own.docker("run", "-d", "--name", "runs", "busybox", "sleep", "1000")
    own.stop()
    assert b" 503 " in ask(str(own.socket))
    done = own.docker("ps", check=False)
    assert done.returncode == 1
    assert "the wherry daemon is not running" in done.stderr
    own.start()
    assert "runs" in own.docker("ps").stdout


def test_the_socket_goes_with_a_daemon_that_leaves_nothing_running(own: Engine) -> None:
    own.stop()
    assert not own.socket.exists()


def test_another_list_of_hosts_is_served_after_a_crash(own: Engine) -> None:
    own.kill()
    other = own.root / "other.sock"
    own.options += ("-H", f"unix://{other}")
    own.start()
    assert b" 200 " in ask(str(other))
    assert b" 200 " in ask(str(own.socket))


def test_containers_are_stopped_with_the_daemon_when_live_restore_is_off() -> None:
    with Engine("--live-restore=false") as engine:
        engine.import_busybox()
        engine.docker("run", "-d", "--name", "always", "--restart", "always", "--stop-timeout",
                      "1", "busybox", "sleep", "1000")  # fmt: skip
        engine.docker("run", "-d", "--name", "once", "--stop-timeout", "1", "busybox",
                      "sleep", "1000")  # fmt: skip
        pids = engine.docker("inspect", "-f", "{{.State.Pid}}", "always", "once").stdout.split()
        engine.stop()
        assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]
        assert not engine.socket.exists()
        ended = time.time()
        engine.start()
        events = engine.spawn("events", "--since", f"{ended:.6f}", "--filter", "event=start",
                              "--format", "{{.Actor.Attributes.name}}")  # fmt: skip
        assert events.stdout
        assert events.stdout.readline() == b"always\n"
        events.kill()
        events.communicate()
        state = engine.docker("inspect", "-f", "{{.State.Status}} {{.State.ExitCode}}", "once")
        assert state.stdout == "exited 137\n"


def test_two_daemons_live_side_by_side_and_never_see_each_other() -> None:
    with Engine() as one, Engine() as two:
        for engine in (one, two):
            engine.import_busybox()
            engine.docker("run", "-d", "--name", "same", "-p", "127.0.0.1:0:80", "busybox",
                          "sh", "-c", "cd /tmp; echo $HOSTNAME >x; exec httpd -f")  # fmt: skip
        ids = [engine.docker("ps", "-q").stdout.strip() for engine in (one, two)]
        assert len(set(ids)) == 2
        two.docker("rm", "-f", "same")
        two.stop()
        assert two.leftovers() == []
        port = one.docker("port", "same", "80").stdout.rpartition(":")[2].strip()
        script = f"import urllib.request as u; print(u.urlopen('http://127.0.0.1:{port}/x').read())"
        answer = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
        assert ids[0].encode() in answer.stdout
        two.start()
        assert two.docker("ps", "-aq").stdout == ""


def test_a_second_daemon_on_the_same_root_is_refused_in_one_line(own: Engine) -> None:
    for roots, named in (
        (("--data-root", f"{own.root}/data", "--exec-root", f"{own.root}/run2"), "--data-root"),
        (("--data-root", f"{own.root}/data2", "--exec-root", f"{own.root}/run"), "--exec-root"),
    ):
        done = run_daemon(own, *roots, "-H", f"unix://{own.root}/b.sock")
        assert done.returncode == 1
        assert f"choose another {named}" in done.stderr
        assert len(done.stderr.splitlines()) == 1
    assert b" 200 " in ask(str(own.socket))


def test_a_second_daemon_on_the_same_socket_is_refused_and_takes_nothing_away(own: Engine) -> None:
    roots = ("--data-root", f"{own.root}/data3", "--exec-root", f"{own.root}/run3")
    hosts = (f"unix://{own.root}/c.sock", f"unix://{own.socket}")
    done = run_daemon(own, *roots, "--bridge", "none", "-H", hosts[0], "-H", hosts[1])
    assert done.returncode == 1
    assert f"cannot listen on unix://{own.socket}: another daemon serves it" in done.stderr
    assert not (own.root / "c.sock").exists()
    assert b" 200 " in ask(str(own.socket))


def run_daemon(engine: Engine, *options: str) -> subprocess.CompletedProcess[str]:
    config = engine.root / "empty.json"
    config.write_text("{}")
    return subprocess.run(
        [sys.executable, "-m", "wherry.daemon.main", "--config-file", str(config), *options],
        capture_output=True, text=True, timeout=patience(60), check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("content", "flags", "words"),
    [
        ('{"debug": true}', ["--debug"], "specified both as a flag and in the configuration file"),
        ('{"nonsense": 1}', [], "don't match any configuration option: nonsense"),
        ("{", [], "unable to configure the daemon with file"),
        ('{"userns-remap": "default"}', [], "userns-remap does not apply"),
        ("{}", ["--userns-remap=default"], "--userns-remap does not apply"),
        ('{"mtu": "wide"}', [], "invalid value for mtu: wide is no number"),
        ("{}", ["--registry-mirror", "odd"], 'invalid mirror: unsupported scheme "" in "odd"'),
        ("{}", ["--insecure-registry", "a/b"], "insecure registry a/b is not valid"),
        ("{}", ["--nonsense"], "unknown flag: --nonsense"),
        ('{"max-concurrent-downloads": 0}', [], "0 is not a positive number"),
        ('{"log-level": "loud"}', [], "invalid logging level: loud"),
        ('{"hosts": ["tcp://0.0.0.0:2375"]}', [], "would serve root to everybody"),
        ('{"hosts": ["tcp://127.0.0.1:2375"], "tls": true}', [], "would serve root to everybody"),
        ('{"hosts": ["http://x"]}', [], "invalid bind address"),
        ('{"bip": "nonsense"}', [], "nonsense"),
        ('{"storage-driver": "btrfs"}', [], "btrfs"),
        ('{"default-ulimits": {"nofile": {"Name": "nofile", "Soft": 9, "Hard": 1}}}', [],
         "soft limit must be less than or equal to hard limit"),
    ],
)  # fmt: skip
def test_a_configuration_that_cannot_be_is_refused_in_one_line(
    tmp_path: Path, content: str, flags: list[str], words: str
) -> None:
    config = tmp_path / "daemon.json"
    config.write_text(content)
    given = json.loads(content) if content != "{" else {}
    hosts = [] if "hosts" in given else ["-H", f"unix://{tmp_path}/d.sock"]
    done = subprocess.run(
        [sys.executable, "-m", "wherry.daemon.main", "--config-file", str(config), "--data-root",
         f"{tmp_path}/data", "--exec-root", f"{tmp_path}/run", *hosts, *flags],
        capture_output=True, text=True, timeout=patience(60), check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not os.path.exists(f"{tmp_path}/d.sock")


def test_the_pid_file_names_the_daemon_and_goes_with_it(own: Engine) -> None:
    pid = int((own.root / "pid").read_text())
    assert Path(f"/proc/{pid}/cmdline").read_bytes().count(b"wherry.daemon.main") == 1
    own.stop()
    assert not (own.root / "pid").exists()


def test_the_socket_belongs_to_the_group_and_to_nobody_else() -> None:
    with Engine("--group", "nogroup") as engine:
        found = engine.socket.stat()
        assert found.st_mode & 0o777 == 0o660
        assert engine.socket.group() == "nogroup"
