"""The daemon's configuration: read again while it runs, TLS, the log, and dockerd's own list."""

import json
import re
import shutil
import signal
import ssl
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.engine import Engine
from tests.support.patience import patience
from tests.support.tls import CertificateAuthority
from wherry.daemon.options import OPTIONS, REFUSED

NOT_OURS = {
    "add-runtime": "runtimes",
    "api-cors-header": "gone from dockerd since",
    "help": "every command has it",
    "oom-score-adjust": "gone from dockerd since",
    "rootless": "gone from the flags since",
    "config-file": "names the file, is no setting",
    "version": "says the version, is no setting",
}


@pytest.fixture
def engine() -> Iterator[Engine]:
    with Engine() as running:
        running.import_busybox()
        yield running
    assert running.leftovers() == []


def reload(engine: Engine, options: dict[str, object]) -> dict[str, str]:
    """Writes options, tells the daemon to read them, and returns the event's attributes."""
    (engine.root / "daemon.json").write_text(json.dumps(options))
    follow = ("events", "--since", "1", "--filter", "event=reload", "--format", "{{json .}}")
    with engine.spawn(*follow) as events:
        assert events.stdout
        try:
            # Past events are replayed, so that the signal may come before the listener.
            engine.send_signal(signal.SIGHUP)
            line = events.stdout.readline()
        finally:
            events.terminate()
    return dict(json.loads(line)["Actor"]["Attributes"])


def test_a_reload_changes_what_new_containers_get(engine: Engine) -> None:
    engine.docker("create", "--name", "before", "busybox")
    attributes = reload(
        engine,
        {
            "log-opts": {"max-size": "7m"},
            "default-shm-size": "32m",
            "labels": ["rack=7"],
            "dns": ["192.0.2.53"],
            "default-ulimits": {"nofile": {"Name": "nofile", "Soft": 99, "Hard": 100}},
        },
    )
    assert attributes["labels"] == '["rack=7"]'
    assert engine.docker("info", "-f", "{{.Labels}}").stdout == "[rack=7]\n"
    script = "ulimit -n; df -k /dev/shm | tail -1 | awk '{print $2}'; grep name /etc/resolv.conf"
    shown = engine.docker("run", "--name", "after", "busybox", "sh", "-c", script).stdout
    assert shown == "99\n32768\nnameserver 192.0.2.53\n"
    config = "{{json .HostConfig.LogConfig.Config}}"
    assert engine.docker("inspect", "-f", config, "after").stdout == '{"max-size":"7m"}\n'
    assert "7m" not in engine.docker("inspect", "-f", config, "before").stdout


def test_a_reload_says_what_waits_for_a_restart_and_refuses_what_cannot_be(engine: Engine) -> None:
    reload(engine, {"mtu": 1400})
    assert "mtu changed: it takes effect when the daemon is restarted" in engine.log()
    (engine.root / "daemon.json").write_text('{"labels": ["lost=1"], "nonsense": 1}')
    engine.send_signal(signal.SIGHUP)
    engine.wait_for_log("the configuration stays as it is")
    assert engine.docker("info", "-f", "{{.Labels}}").stdout == "[]\n"


def test_live_restore_switched_off_by_a_reload_ends_the_containers(engine: Engine) -> None:
    engine.docker("run", "-d", "--name", "ends", "busybox", "sleep", "1000")
    reload(engine, {"live-restore": False, "shutdown-timeout": 1})
    engine.docker("update", "--restart", "no", "ends")
    engine.stop()
    engine.start()
    assert engine.docker("inspect", "-f", "{{.State.Status}}", "ends").stdout == "exited\n"


def test_the_log_is_json_where_that_is_asked_for() -> None:
    with Engine("--log-format", "json") as engine:
        lines = [json.loads(line) for line in engine.log().splitlines()]
        assert any(line["msg"].startswith("API listen on") for line in lines)
        assert {"level", "room", "msg", "time"} <= set(lines[0])


@pytest.fixture
def authority(tmp_path: Path) -> CertificateAuthority:
    return CertificateAuthority(tmp_path)


def test_over_tcp_only_clients_with_a_certificate_are_served(
    authority: CertificateAuthority,
) -> None:
    server, client = authority.issue("server", "127.0.0.1"), authority.issue("client", "someone")
    stranger = CertificateAuthority(authority.directory / "other").issue("client", "stranger")
    options = ("-H", "tcp://127.0.0.1:22376", "--tlsverify", "--tlscacert", authority.certificate,
               "--tlscert", server.certificate, "--tlskey", server.key)  # fmt: skip
    with Engine(*options) as engine:
        engine.import_busybox()

        def docker(*words: str) -> subprocess.CompletedProcess[str]:
            host = ("-H", "tcp://127.0.0.1:22376", "--tlsverify", "--tlscacert")
            return subprocess.run(
                ["docker", *host, authority.certificate, *words],
                capture_output=True, text=True, timeout=patience(60), check=False,
            )  # fmt: skip

        known = ("--tlscert", client.certificate, "--tlskey", client.key)
        done = docker(*known, "run", "-i", "--rm", "busybox", "echo", "over", "tcp")
        assert (done.returncode, done.stdout) == (0, "over tcp\n"), done.stderr
        refused = docker("--tlscert", stranger.certificate, "--tlskey", stranger.key, "ps")
        assert refused.returncode != 0
        assert "tls" in refused.stderr.lower()
        bare = ssl.create_default_context(cafile=authority.certificate)
        assert bare.verify_mode == ssl.CERT_REQUIRED
        plain = subprocess.run(
            ["docker", "-H", "tcp://127.0.0.1:22376", "ps"], capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        assert plain.returncode != 0
        assert "Client sent an HTTP request to an HTTPS server." in plain.stderr


def test_over_tcp_everybody_is_served_if_that_is_said_twice() -> None:
    with (
        Engine("-H", "tcp://127.0.0.1:22377", "--tlsverify=false"),
        urllib.request.urlopen("http://127.0.0.1:22377/_ping", timeout=20) as answer,
    ):
        assert answer.read() == b"OK"


def test_every_option_of_dockerd_is_ours_or_refused_with_a_reason() -> None:
    dockerd = shutil.which("dockerd")
    assert dockerd, "dockerd is missing: apt-get install docker.io"
    shown = subprocess.run([dockerd, "--help"], capture_output=True, text=True, check=True).stdout
    flags = set(re.findall(r"^\s+(?:-\w, )?--([a-z0-9-]+)", shown, re.M))
    ours = {option.flag for option in OPTIONS}
    refused = set(REFUSED) | {key.removesuffix("s") for key in REFUSED}
    assert flags - ours - refused - set(NOT_OURS) == set()


def test_metrics_count_containers_actions_and_requests() -> None:
    address = "127.0.0.1:29323"
    with Engine("--metrics-addr", address) as engine:
        engine.import_busybox()
        engine.docker("run", "-d", "--name", "runs", "busybox", "sleep", "1000")
        engine.docker("run", "--name", "done", "busybox", "true")
        with urllib.request.urlopen(f"http://{address}/metrics", timeout=20) as answer:
            lines = answer.read().decode().splitlines()
        values = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
        containers = "engine_daemon_container_states_containers"
        assert values[f'{containers}{{state="running"}}'] == "1.0"
        assert values[f'{containers}{{state="stopped"}}'] == "1.0"
        assert values['engine_daemon_container_actions_seconds_count{action="start"}'] == "2.0"
        assert float(values["engine_daemon_events_total"]) > 5
        assert any(
            line.startswith("wherry_api_request_seconds_count") and "/containers/create" in line
            for line in values
        )
        assert "process_resident_memory_bytes" in values
