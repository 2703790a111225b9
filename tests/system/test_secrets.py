"""Secrets without a swarm: the docker command line makes them, containers mount them."""

import json
import subprocess

import pytest

from tests.support.api import Api
from tests.support.engine import Engine

CONTENT = b"correct horse battery staple"
MOUNT = "type=secret,src=token,dst=/run/secrets/token"


@pytest.fixture(scope="module")
def token(engine: Engine) -> str:
    made = engine.docker("secret", "create", "-l", "tier=db", "token", "-", stdin=CONTENT)
    return made.stdout.strip()


def test_a_secret_is_a_file_in_memory_that_cannot_be_written(engine: Engine, token: str) -> None:
    script = ("cat /run/secrets/token; echo; stat -c '%a %u:%g' /run/secrets/token;"
              "grep -c ' /run/secrets/token .*ro,nosuid,nodev,noexec.* tmpfs ' "
              "/proc/self/mountinfo; echo x >/run/secrets/token")  # fmt: skip
    done = engine.docker("run", "--rm", "--mount", MOUNT, "busybox", "sh", "-c", script,
                         check=False)  # fmt: skip
    assert done.stdout == f"{CONTENT.decode()}\n444 0:0\n1\n"
    assert "Read-only file system" in done.stderr


def test_owner_and_mode_are_those_asked_for_in_a_user_namespace_too(
    engine: Engine, token: str
) -> None:
    api = Api(engine.socket)
    for mode in ("", "auto"):
        mount = {"Type": "secret", "Source": "token", "Target": "/etc/key",
                 "SecretOptions": {"UID": 1000, "GID": 1000, "Mode": 0o400}}  # fmt: skip
        body = {"Image": "busybox", "User": "1000", "Cmd": ["sh", "-c", "stat -c '%a %u' /etc/key;"
                "cat /etc/key"], "HostConfig": {"Mounts": [mount], "UsernsMode": mode}}  # fmt: skip
        identifier = api.post("/containers/create", body)["Id"]
        assert engine.docker("start", "-a", identifier).stdout == f"400 1000\n{CONTENT.decode()}"
        engine.docker("rm", identifier)


def test_no_answer_and_no_file_of_the_engine_holds_the_content(engine: Engine, token: str) -> None:
    engine.docker("run", "-d", "--name", "holder", "--mount", MOUNT, "busybox", "sleep", "1000")
    shown = engine.docker("inspect", "holder").stdout + engine.docker("secret", "inspect",
                                                                      token).stdout  # fmt: skip
    assert CONTENT.decode() not in shown
    assert "Data" not in json.loads(engine.docker("secret", "inspect", token).stdout)[0]["Spec"]
    done = subprocess.run(["grep", "-rla", CONTENT.decode(), engine.root], capture_output=True,
                          text=True, check=False)  # fmt: skip
    assert done.stdout == ""  # but for the logs of those that print it, which are gone
    engine.docker("stop", "-t", "0", "holder")
    assert CONTENT not in engine.docker_bytes("export", "holder")
    assert CONTENT not in engine.docker_bytes("cp", "holder:/run/secrets", "-")
    engine.docker("rm", "holder")


def test_secrets_are_listed_by_name_and_label(engine: Engine, token: str) -> None:
    engine.docker("secret", "create", "other", "-", stdin=b"x")
    names = "{{.Name}}"
    assert engine.docker("secret", "ls", "--format", names).stdout == "other\ntoken\n"
    found = engine.docker("secret", "ls", "--filter", "label=tier=db", "--format", names).stdout
    assert found == "token\n"
    engine.docker("secret", "rm", "other")


def test_a_secret_that_a_container_mounts_cannot_be_removed(engine: Engine, token: str) -> None:
    engine.docker("create", "--name", "user", "--mount", MOUNT, "busybox")
    done = engine.docker("secret", "rm", "token", check=False)
    assert done.returncode == 1
    assert "secret 'token' is in use by the following container: user" in done.stderr
    engine.docker("rm", "user")


@pytest.mark.parametrize(
    ("words", "content", "text"),
    [
        (("create", "token", "-"), b"x", "secret token already exists"),
        (("create", "bad-", "-"), b"x", "invalid name"),
        (("create", "empty", "-"), b"", "data is empty"),
        (("create", "large", "-"), b"x" * 600_000, "less than 512000 bytes"),
        (("inspect", "nosuch"), b"", "nosuch"),
        (("rm", "nosuch"), b"", "secret nosuch not found"),
        (("create", "-d", "vault", "driven"), b"", "need a swarm"),
    ],
)
def test_bad_input_is_refused_and_named(
    engine: Engine, token: str, words: tuple[str, ...], content: bytes, text: str
) -> None:
    before = engine.docker("secret", "ls", "-q").stdout
    done = engine.docker("secret", *words, stdin=content, check=False)
    assert done.returncode == 1
    assert text in done.stderr
    assert engine.docker("secret", "ls", "-q").stdout == before


def test_a_mount_of_a_secret_that_is_not_there_makes_no_container(engine: Engine) -> None:
    mount = "type=secret,src=nosuch,dst=/x"
    done = engine.docker("create", "--name", "none", "--mount", mount, "busybox", check=False)
    assert (done.returncode, "secret nosuch not found" in done.stderr) == (1, True)
    assert "none" not in engine.docker("ps", "-a", "--format", "{{.Names}}").stdout


def test_secrets_and_who_has_them_survive_the_daemon(engine: Engine, token: str) -> None:
    engine.docker("create", "--name", "later", "--mount", MOUNT, "busybox", "cat",
                  "/run/secrets/token")  # fmt: skip
    engine.kill()
    engine.start()
    assert engine.docker("start", "-a", "later").stdout == CONTENT.decode()
    engine.docker("rm", "later")
    key = engine.data / "secrets.key"
    assert key.stat().st_mode & 0o777 == 0o600
