"""What tests need of the machine, probed, and said when it is missing."""

import os
import shutil

import pytest

from tests.support.docker_cli import docker_release

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs the rights of root")

needs_newest_docker = pytest.mark.skipif(
    docker_release() < (28,), reason="needs the docker command line of release 28 or newer"
)


def needs_program(name: str) -> pytest.MarkDecorator:
    """Skips where a program is not installed."""
    return pytest.mark.skipif(shutil.which(name) is None, reason=f"needs {name}")
