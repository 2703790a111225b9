"""Debian's dockerd driven as our engine is, with its bridge, to compare answers with."""

import os
import shutil
from collections.abc import Iterator

import pytest

from tests.support.engine import BUSYBOX, Engine
from tests.support.netns import NetworkNamespace

DOCKERD = shutil.which("dockerd") or "/usr/sbin/dockerd"

needs_dockerd = pytest.mark.skipif(
    os.geteuid() != 0 or not os.path.exists(DOCKERD) or not BUSYBOX.exists(),
    reason="needs root, dockerd and a static busybox",
)


class DockerEngine(Engine):
    """One dockerd; to be used as a context."""

    program = (DOCKERD,)


def running_dockerd() -> Iterator[DockerEngine]:
    """A dockerd with busybox in it; for fixtures."""
    with NetworkNamespace() as namespace, DockerEngine(namespace=namespace) as engine:
        engine.import_busybox()
        yield engine
