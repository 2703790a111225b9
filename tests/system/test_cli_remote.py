"""Engines elsewhere: over ssh and over TCP with certificates of both sides."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.engine import Engine
from tests.support.sshd import SshServer, find_sshd
from tests.support.tls import CertificateAuthority

WHERRY = [sys.executable, str(Path(__file__).resolve().parents[2] / "bin" / "wherry")]
PROGRAMS = {"docker": ["docker"], "wherry": WHERRY}
with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    PORT = free.getsockname()[1]


@pytest.fixture(params=PROGRAMS)
def program(request: pytest.FixtureRequest) -> list[str]:
    return PROGRAMS[request.param]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> CertificateAuthority:
    """Signs for the server at 127.0.0.1 and for a client whose files have docker's names."""
    made = CertificateAuthority(tmp_path_factory.mktemp("authority"))
    client = made.issue("client", "somebody")
    Path(client.certificate).rename(made.directory / "cert.pem")
    Path(client.key).rename(made.directory / "key.pem")
    return made


@pytest.fixture(scope="module")
def engine(authority: CertificateAuthority, engine_ready: None) -> Iterator[Engine]:
    server = authority.issue("server", "127.0.0.1")
    with Engine(
        "-H", f"tcp://127.0.0.1:{PORT}", "--tlsverify", "--tlscacert", authority.certificate,
        "--tlscert", server.certificate, "--tlskey", server.key,
    ) as running:  # fmt: skip
        running.import_busybox()
        yield running


@pytest.fixture(scope="module")
def ssh(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshServer]:
    directory = tmp_path_factory.mktemp("sshd")
    server = find_sshd(directory)
    if server is None or not shutil.which("ssh") or not shutil.which("unshare"):
        pytest.skip("needs ssh, and an sshd that is installed or can be fetched")
    there = directory / "there"
    there.mkdir()
    program = there / "wherry"
    program.write_text(f'#!/bin/sh\nexec {" ".join(WHERRY)} "$@"\n')
    program.chmod(0o755)
    environment = {
        "PATH": f"{there}:{os.environ['PATH']}", "DOCKER_HOST": f"unix://{engine.socket}"
    }  # fmt: skip
    with SshServer(server, directory, environment) as running:
        yield running


def run(
    program: list[str], words: tuple[str, ...], environment: dict[str, str], stdin: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*program, *words], env=environment, input=stdin, capture_output=True, check=False,
        timeout=60,
    )  # fmt: skip


def everything_works(program: list[str], environment: dict[str, str]) -> None:
    """Requests, streams in both directions with a half-close, and exit codes."""
    data = b"y" * 200_000
    words = ("run", "--rm", "-i", "busybox", "sh", "-c", "cat; echo end; exit 5")
    done = run(program, words, environment, data)
    assert (done.returncode, done.stdout) == (5, data + b"end\n"), done.stderr
    done = run(program, ("images", "-q", "busybox"), environment)
    assert len(done.stdout.splitlines()) == 1, done.stderr
    done = run(program, ("run", "--rm", "busybox", "nosuch"), environment)
    assert done.returncode == 127


@pytest.fixture
def by_tls(engine: Engine, authority: CertificateAuthority, tmp_path: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"], "HOME": str(tmp_path),
        "DOCKER_HOST": f"tcp://127.0.0.1:{PORT}", "DOCKER_TLS_VERIFY": "1",
        "DOCKER_CERT_PATH": str(authority.directory),
    }  # fmt: skip


def test_tls_by_the_environment(program: list[str], by_tls: dict[str, str]) -> None:
    everything_works(program, by_tls)


def test_tls_by_options(
    program: list[str], by_tls: dict[str, str], authority: CertificateAuthority
) -> None:
    environment = {"PATH": by_tls["PATH"], "HOME": by_tls["HOME"]}
    place = authority.directory
    words = (
        "-H", by_tls["DOCKER_HOST"], "--tlsverify", "--tlscacert", f"{place}/ca.pem",
        "--tlscert", f"{place}/cert.pem", "--tlskey", f"{place}/key.pem", "images", "-q",
    )  # fmt: skip
    assert run(program, words, environment).returncode == 0


def test_tls_by_a_context_that_either_made(
    program: list[str], by_tls: dict[str, str], authority: CertificateAuthority
) -> None:
    """What one program stored, exported and imported, the other uses."""
    environment = {"PATH": by_tls["PATH"], "HOME": by_tls["HOME"]}
    place = authority.directory
    endpoint = f"host={by_tls['DOCKER_HOST']}"
    for key in ("ca", "cert", "key"):
        endpoint += f",{key}={place}/{key}.pem"
    for words in (
        ("context", "create", "far", "--docker", endpoint),
        ("context", "export", "far", f"{by_tls['HOME']}/far.tar"),
        ("context", "rm", "far"),
    ):
        assert run(program, words, environment).returncode == 0, words
    for other in PROGRAMS.values():
        name = f"near-{len(other)}"
        words = ("context", "import", name, f"{by_tls['HOME']}/far.tar")
        assert run(other, words, environment).returncode == 0
        assert run(other, ("context", "use", name), environment).returncode == 0
        for each in PROGRAMS.values():
            done = run(each, ("ps",), environment)
            assert done.returncode == 0, done.stderr


def test_without_a_certificate_nobody_comes_in(
    program: list[str], by_tls: dict[str, str], authority: CertificateAuthority, tmp_path: Path
) -> None:
    shutil.copy(authority.certificate, tmp_path / "ca.pem")
    done = run(program, ("ps",), {**by_tls, "DOCKER_CERT_PATH": str(tmp_path)})
    assert done.returncode == 1
    assert b"certificate" in done.stderr or b"tls" in done.stderr.lower()


def test_a_server_of_another_authority_is_not_trusted(
    program: list[str], by_tls: dict[str, str], tmp_path: Path
) -> None:
    CertificateAuthority(tmp_path / "other")
    done = run(program, ("ps",), {**by_tls, "DOCKER_CERT_PATH": str(tmp_path / "other")})
    assert done.returncode == 1
    assert b"certificate" in done.stderr


def test_ssh_by_the_environment(program: list[str], ssh: SshServer, tmp_path: Path) -> None:
    environment = {
        "PATH": f"{ssh.directory}/bin:{os.environ['PATH']}", "HOME": str(tmp_path),
        "DOCKER_HOST": f"ssh://root@127.0.0.1:{ssh.port}",
    }  # fmt: skip
    everything_works(program, environment)


def test_ssh_that_fails_says_why(program: list[str], ssh: SshServer, tmp_path: Path) -> None:
    environment = {
        "PATH": f"{ssh.directory}/bin:{os.environ['PATH']}", "HOME": str(tmp_path),
        "DOCKER_HOST": f"ssh://nobody-there@127.0.0.1:{ssh.port}",
    }  # fmt: skip
    done = run(program, ("ps",), environment)
    assert done.returncode == 1
    assert b"Permission denied" in done.stderr
