"""Docker Compose, the real plugin: three real servers that wait for each other.

The stack is what a team has: a web server, a database and a cache, with health checks, networks,
volumes, secrets, configs, profiles and scale.
"""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.clients import place
from tests.support.engine import Engine
from tests.support.servers import servers_archive

pytestmark = [pytest.mark.clients, pytest.mark.timeout(900)]

STACK = """
name: shop
services:
  web:
    image: servers
    command: ["nginx", "-g", "daemon off;"]
    depends_on:
      db: {condition: service_healthy}
      cache: {condition: service_healthy}
    ports: ["127.0.0.1::80"]
    networks: [front, back]
    configs:
      - {source: page, target: /var/www/html/page.html}
    healthcheck: &often
      test: ["CMD", "bash", "-c", "</dev/tcp/127.0.0.1/80"]
      interval: 1s
      start_interval: 200ms
      start_period: 30s
  db:
    image: servers
    user: postgres
    environment: {PGHOST: /tmp}
    entrypoint:
      - sh
      - -c
      - exec /usr/lib/postgresql/*/bin/postgres -D /etc/postgresql/*/main -k /tmp
    stop_signal: SIGINT
    networks: [back]
    volumes: ["tables:/var/lib/postgresql"]
    secrets: [password]
    healthcheck:
      <<: *often
      test: ["CMD", "pg_isready", "-q"]
  cache:
    image: servers
    user: redis
    command: ["redis-server", "--protected-mode", "no", "--dir", "/data"]
    networks:
      back: {aliases: [keys]}
    tmpfs: ["/data:mode=1777"]
    healthcheck:
      <<: *often
      test: ["CMD", "redis-cli", "ping"]
  worker:
    image: servers
    command: ["sh", "-c", "echo working; exec sleep 1000"]
    init: true
    networks: [back]
    stop_grace_period: 1s
  tool:
    image: servers
    profiles: [tools]
    command: ["echo", "only on request"]
    networks: [back]
networks:
  front: {}
  back: {internal: true}
volumes:
  tables: {}
secrets:
  password: {file: ./password.txt}
configs:
  page: {content: "served by compose\\n"}
"""


class Compose:
    """The plugin behind a command line, in a project's directory."""

    def __init__(self, engine: Engine, directory: Path) -> None:
        self._engine = engine
        self._directory = directory
        (directory / "compose.yaml").write_text(STACK)
        (directory / "password.txt").write_text("hunter2")
        plugins = engine.root / "docker-config/cli-plugins"
        plugins.mkdir(parents=True, exist_ok=True)
        if not (plugins / "docker-compose").exists():
            (plugins / "docker-compose").symlink_to(place("docker-compose"))

    def __call__(self, *words: str, front: tuple[str, ...] = ("docker",)) -> str:
        """What a command prints that succeeds."""
        done = subprocess.run(
            [*front, "compose", "--ansi", "never", *words], cwd=self._directory, text=True,
            capture_output=True, timeout=300, check=False, env=self._engine.environment(),
        )  # fmt: skip
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def processes(self) -> dict[str, dict[str, object]]:
        """The project's containers by name."""
        lines = self("ps", "-a", "--format", "json").splitlines()
        return {item["Name"]: item for item in map(json.loads, lines)}


@pytest.fixture(scope="module")
def compose(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Compose]:
    engine.docker("import", str(servers_archive()), "servers", timeout=300)
    found = Compose(engine, tmp_path_factory.mktemp("shop"))
    found("up", "-d", "--wait")
    yield found
    found("down", "-v", "-t", "1", "--remove-orphans")
    assert engine.docker("ps", "-aq").stdout == ""
    assert engine.docker("volume", "ls", "-q").stdout == ""
    assert engine.docker("network", "ls", "-q", "--filter", "type=custom").stdout == ""


def started(engine: Engine, name: str) -> str:
    return engine.docker("inspect", "-f", "{{.State.StartedAt}}", name).stdout


def test_services_start_when_what_they_depend_on_is_healthy(
    compose: Compose, engine: Engine
) -> None:
    found = compose.processes()
    assert {name: item["Health"] for name, item in found.items()} == {
        "shop-web-1": "healthy", "shop-db-1": "healthy", "shop-cache-1": "healthy",
        "shop-worker-1": "",
    }  # fmt: skip
    assert started(engine, "shop-web-1") > started(engine, "shop-db-1")


def test_the_published_port_serves_what_the_config_says(compose: Compose) -> None:
    address = compose("port", "web", "80").strip()
    with urllib.request.urlopen(f"http://{address}/page.html", timeout=10) as answer:
        assert answer.read() == b"served by compose\n"


def test_services_find_each_other_by_name_and_alias(compose: Compose) -> None:
    assert compose("exec", "-T", "worker", "redis-cli", "-h", "keys", "ping") == "PONG\n"
    assert "cache" in compose("exec", "-T", "worker", "getent", "hosts", "cache")


def test_an_internal_network_leads_nowhere_else(compose: Compose) -> None:
    routes = compose("exec", "-T", "worker", "cat", "/proc/net/route").splitlines()[1:]
    assert all(line.split()[1] != "00000000" for line in routes)


def test_secrets_and_the_database_work_inside(compose: Compose) -> None:
    assert compose("exec", "-T", "db", "cat", "/run/secrets/password") == "hunter2"
    made = compose("exec", "-T", "db", "psql", "-qtAc",
                   "create table t (n int); insert into t select generate_series(1, 100);"
                   "select count(*) from t")  # fmt: skip
    assert made == "100\n"


def test_a_rerun_without_change_does_nothing(compose: Compose, engine: Engine) -> None:
    before = engine.docker("ps", "-aq", "--no-trunc").stdout
    times = [started(engine, name) for name in compose.processes()]
    compose("up", "-d", "--wait")
    assert engine.docker("ps", "-aq", "--no-trunc").stdout == before
    assert [started(engine, name) for name in compose.processes()] == times


def test_a_service_is_scaled_up_and_down_and_all_answer_to_its_name(compose: Compose) -> None:
    compose("up", "-d", "--scale", "worker=3", "--no-recreate")
    found = compose("exec", "-T", "web", "getent", "ahostsv4", "worker")
    assert len({line.split()[0] for line in found.splitlines()}) == 3
    compose("up", "-d", "--scale", "worker=1", "--no-recreate", "-t", "0")
    assert [name for name in compose.processes() if "worker" in name] == ["shop-worker-1"]


def test_a_profile_runs_on_request_only(compose: Compose) -> None:
    assert "shop-tool-1" not in compose.processes()
    assert "only on request" in compose("run", "--rm", "tool")


def test_logs_are_followed_by_service(compose: Compose) -> None:
    assert "worker-1  | working" in compose("logs", "worker")


def test_data_in_a_volume_outlives_a_recreated_service(compose: Compose) -> None:
    compose("up", "-d", "--wait", "--force-recreate", "db")
    assert compose("exec", "-T", "db", "psql", "-tAc", "select count(*) from t") == "100\n"


def test_restart_stop_and_start_keep_the_containers(compose: Compose) -> None:
    before = set(compose.processes())
    for words in (("restart", "-t", "1", "worker"), ("stop", "-t", "1"), ("start",)):
        compose(*words)
    assert set(compose.processes()) == before
    compose("up", "-d", "--wait")


def test_our_command_line_runs_the_plugin_too(compose: Compose) -> None:
    code = "import sys; from wherry.cli.main import main; sys.exit(main())"
    assert "shop-web-1" in compose("ps", front=(sys.executable, "-c", code))
