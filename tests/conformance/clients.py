"""Installs other people's clients and peers, pinned, into a cache outside of the repository.

`python -m tests.conformance.clients` installs the clients that are missing, with the word `peers`
the newest dockerd and what it runs: programs in Go through the module proxy (with the Go that is in
PATH), packages of npm and PyPI with their own tools. `place` is where a test finds one, `peers` the
directory of all of dockerd's. The cache is $WHERRY_CLIENTS, or below the user's cache directory.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple


class GoProgram(NamedTuple):
    """A program built from a module of its own: `go install` refuses modules with `replace`."""

    package: str
    version: str
    variables: str = ""
    tags: str = ""
    """Build tags; a program that has them is linked against C's libraries."""


GO_PROGRAMS = {
    "docker-compose": GoProgram(
        "github.com/docker/compose/v5/cmd", "v5.2.0",
        "-X github.com/docker/compose/v5/internal.Version=v5.2.0",
    ),
    "crane": GoProgram("github.com/google/go-containerregistry/cmd/crane", "v0.20.6"),
}  # fmt: skip
_MOBY = "v2.0.0-beta.24"
_CONTAINERD = "v2.4.2"
PEERS = {
    "dockerd": GoProgram(
        "github.com/moby/moby/v2/cmd/dockerd", _MOBY,
        f"-X github.com/moby/moby/v2/dockerversion.Version={_MOBY.removeprefix('v')}",
    ),
    "docker-proxy": GoProgram("github.com/moby/moby/v2/cmd/docker-proxy", _MOBY),
    "containerd": GoProgram(
        "github.com/containerd/containerd/v2/cmd/containerd", _CONTAINERD,
        f"-X github.com/containerd/containerd/v2/version.Version={_CONTAINERD}",
    ),
    "containerd-shim-runc-v2": GoProgram(
        "github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2", _CONTAINERD
    ),
    "runc": GoProgram("github.com/opencontainers/runc", "v1.5.2", tags="seccomp"),
}  # fmt: skip
"""The newest dockerd and the programs that it looks for beside itself and in PATH."""
NPM_PACKAGES = ("dockerode@4.0.9", "@devcontainers/cli@0.80.0")
PYTHON_PACKAGES = ("testcontainers==4.14.2", "python-on-whales==0.81.0")


def cache() -> Path:
    """The directory of all clients."""
    root = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(os.environ.get("WHERRY_CLIENTS") or f"{root}/wherry/clients")


def place(name: str) -> Path:
    """A Go program, a program of an npm package, or `python`, whose packages are PYTHON_PACKAGES.

    Raises FileNotFoundError if it is not installed.
    """
    if name in GO_PROGRAMS:
        found = cache() / f"{name}-{GO_PROGRAMS[name].version}"
    elif name == "python":
        found = _python_directory() / "bin/python"
    else:
        found = _npm_directory() / "node_modules/.bin" / name
    if not found.exists():
        raise FileNotFoundError(f"{found}: run `make conformance-clients`")
    return found


def peers() -> Path:
    """The directory of the newest dockerd and its programs, each by its own name.

    Raises FileNotFoundError if one is not installed.
    """
    for name in PEERS:
        if not (_peers_directory() / name).exists():
            raise FileNotFoundError(f"{_peers_directory() / name}: run `make conformance-peers`")
    return _peers_directory()


def _peers_directory() -> Path:
    return cache() / "-".join(["peers", *dict.fromkeys(peer.version for peer in PEERS.values())])


def node_modules() -> Path:
    """Where Node.js finds NPM_PACKAGES (NODE_PATH)."""
    return _npm_directory() / "node_modules"


def _npm_directory() -> Path:
    return cache() / "-".join(["npm", *NPM_PACKAGES]).replace("/", "_")


def _python_directory() -> Path:
    return cache() / "-".join(["python", *PYTHON_PACKAGES])


def install() -> None:
    """Installs every client that is not there, whole or not at all."""
    cache().mkdir(parents=True, exist_ok=True)
    for name, program in GO_PROGRAMS.items():
        _make(cache() / f"{name}-{program.version}", lambda at, p=program: _build(p, at))
    _make(_npm_directory(), _install_npm)
    _make(_python_directory(), _install_python)


def install_peers() -> None:
    """Installs the newest dockerd: minutes, and libseccomp's headers and pkg-config are needed."""
    _peers_directory().mkdir(parents=True, exist_ok=True)
    for name, program in PEERS.items():
        _make(_peers_directory() / name, lambda at, p=program: _build(p, at))


def _make(target: Path, work: Callable[[Path], None]) -> None:
    if target.exists():
        return
    began = time.monotonic()
    print(f"installing {target.name}", flush=True)
    scratch = Path(tempfile.mkdtemp(dir=target.parent, prefix=".installing-"))
    try:
        work(scratch / "made")
        (scratch / "made").rename(target)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    print(f"    {time.monotonic() - began:.0f} s", flush=True)


def _build(program: GoProgram, target: Path) -> None:
    module = target.with_name("module")
    module.mkdir()

    def go(*words: str) -> None:
        environment = {**os.environ, "CGO_ENABLED": "1" if program.tags else "0"}
        subprocess.run(
            ["go", *words], cwd=module, env=environment, check=True, stderr=subprocess.DEVNULL
        )

    go("mod", "init", "conformance")
    go("get", "-tool", f"{program.package}@{program.version}")
    go("build", "-trimpath", "-tags", program.tags, "-ldflags", f"-s -w {program.variables}",
       "-o", str(target), program.package)  # fmt: skip


def _install_npm(target: Path) -> None:
    target.mkdir()
    subprocess.run(
        ["npm", "install", "--prefix", str(target), "--no-audit", "--no-fund", "--silent",
         *NPM_PACKAGES],
        check=True,
    )  # fmt: skip


def _install_python(target: Path) -> None:
    # Scripts of an environment that is moved afterwards do not start, but its interpreter does.
    subprocess.run([sys.executable, "-m", "venv", str(target)], check=True)
    subprocess.run([str(target / "bin/python"), "-m", "pip", "install", "-q", *PYTHON_PACKAGES],
                   check=True)  # fmt: skip


if __name__ == "__main__":
    install_peers() if "peers" in sys.argv[1:] else install()
