"""A Debian by mmdebstrap: apt inside it, and the servers that it installs, with their data.

Needs a mirror of Debian, and minutes: `make test-long`.
"""

import json
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.debian import codename, make_root, mirror, proxy_settings
from tests.support.engine import Engine
from tests.support.needs import needs_program

pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(1200),
    needs_program("mmdebstrap"),
    pytest.mark.skipif(not codename(), reason="needs to run on Debian"),
]

APT = "export DEBIAN_FRONTEND=noninteractive; apt-get install -y -q --no-install-recommends"


@pytest.fixture(scope="module")
def debian(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """An engine with the image `debian`, its package lists fetched over the bridge."""
    if not mirror(codename()):
        pytest.skip("needs a Debian mirror in apt's sources")
    archive: Path = tmp_path_factory.mktemp("debian") / "root.tar"
    make_root(archive, codename())
    engine.docker("import", "--change", 'CMD ["bash"]', str(archive), "debian:bare", timeout=300)
    settings = "\n".join(proxy_settings())
    engine.docker("run", "--name", "lists", "-e", f"SETTINGS={settings}", "debian:bare", "sh", "-c",
                  'echo "$SETTINGS" >/etc/apt/apt.conf.d/99test && apt-get update',
                  timeout=300)  # fmt: skip
    engine.docker("commit", "lists", "debian", timeout=300)
    engine.docker("rm", "lists")
    yield engine
    engine.docker("image", "prune", "-af", check=False)


def install(engine: Engine, name: str, packages: str, after: str, *changes: str) -> None:
    """An image with packages, which apt installs in a container."""
    script = f"{APT} {packages} && {after}"
    done = engine.docker("run", "--name", name, "debian", "sh", "-c", script, check=False,
                         timeout=600)  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    words = [word for change in changes for word in ("--change", change)]
    engine.docker("commit", *words, name, f"{name}:made", timeout=300)
    engine.docker("rm", name)


def published(engine: Engine, container: str, port: str) -> str:
    """The port of the host that a container's port is published at."""
    return engine.docker("port", container, port).stdout.split()[0].rpartition(":")[2]


def until_answered(engine: Engine, *words: str) -> str:
    """What a command prints once it succeeds: a server takes a while to listen."""
    deadline = time.monotonic() + 60
    while (done := engine.docker(*words, check=False)).returncode:
        assert time.monotonic() < deadline, done.stderr
        time.sleep(0.2)
    return done.stdout


def test_apt_installs_nginx_which_serves_a_volume_that_outlives_its_container(
    debian: Engine,
) -> None:
    install(debian, "nginx", "nginx-light", "rm -f /var/www/html/*",
            'CMD ["nginx", "-g", "daemon off;"]', "EXPOSE 80", "STOPSIGNAL SIGQUIT")  # fmt: skip
    run = ("run", "-d", "--name", "web", "-P", "-v", "site:/var/www/html", "nginx:made")
    debian.docker(*run)
    debian.docker("exec", "web", "sh", "-c", "echo kept >/var/www/html/page")
    for _ in range(2):
        port = published(debian, "web", "80/tcp")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/page", timeout=10) as answer:
            assert (answer.read(), answer.headers["Server"][:5]) == (b"kept\n", "nginx")
        debian.docker("stop", "web")
        state = json.loads(debian.docker("inspect", "web").stdout)[0]["State"]
        assert state["ExitCode"] == 0
        debian.docker("rm", "web")
        debian.docker(*run)
    debian.docker("rm", "-f", "web")


def test_apt_installs_postgresql_whose_tables_outlive_its_container(debian: Engine) -> None:
    configure = (
        "cd /etc/postgresql/*/main && echo 'host all all all trust' >>pg_hba.conf && "
        "echo \"listen_addresses = '*'\" >>postgresql.conf"
    )
    serve = "exec /usr/lib/postgresql/*/bin/postgres -D /etc/postgresql/*/main"
    install(debian, "postgresql", "postgresql", configure, "USER postgres", "EXPOSE 5432",
            f'CMD ["sh", "-c", "{serve}"]', "STOPSIGNAL SIGINT")  # fmt: skip
    run = ("run", "-d", "--name", "base", "-p", "127.0.0.1::5432", "-v",
           "tables:/var/lib/postgresql", "postgresql:made")  # fmt: skip

    def ask(statement: str) -> str:
        client = (
            "run",
            "--rm",
            "--network",
            "host",
            "postgresql:made",
            "psql",
            "-qtA",
            "-h",
            "127.0.0.1",
            "-p",
            published(debian, "base", "5432/tcp"),
            "-U",
            "postgres",
            "-c",
        )
        return until_answered(debian, *client, statement)

    debian.docker(*run)
    ask("create table words (word text); insert into words select 'w' || generate_series(1, 5000)")
    debian.docker("stop", "base")
    debian.docker("rm", "base")
    debian.docker(*run)
    assert ask("select count(*), max(word) from words") == "5000|w999\n"
    debian.docker("kill", "base")  # and its journal is good for a crash
    debian.docker("rm", "base")
    debian.docker(*run)
    assert ask("select count(*) from words") == "5000\n"
    debian.docker("rm", "-f", "base")


def test_apt_installs_redis_whose_keys_outlive_its_container(debian: Engine) -> None:
    install(debian, "redis", "redis-server", "true", "USER redis", "EXPOSE 6379",
            "WORKDIR /var/lib/redis", "VOLUME /var/lib/redis",
            'ENTRYPOINT ["redis-server"]', 'CMD ["--protected-mode", "no"]')  # fmt: skip
    run = ("run", "-d", "--name", "keys", "-p", "127.0.0.1::6379", "-v", "keys:/var/lib/redis",
           "redis:made")  # fmt: skip

    def ask(*words: str) -> str:
        port = published(debian, "keys", "6379/tcp")
        client = ("run", "--rm", "--network", "host", "--entrypoint", "redis-cli", "redis:made")
        return until_answered(debian, *client, "-p", port, *words)

    debian.docker(*run)
    assert ask("set", "word", "kept") == "OK\n"
    debian.docker("stop", "keys")
    debian.docker("rm", "keys")
    debian.docker(*run)
    assert ask("get", "word") == "kept\n"
    debian.docker("rm", "-f", "keys")
