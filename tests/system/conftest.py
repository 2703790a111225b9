"""One engine for each file of tests, with an image to run."""

import os
import shutil
from collections.abc import Iterator

import pytest

from tests.support.engine import BUSYBOX, Engine


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    missing = [what for what, there in (
        ("root", os.geteuid() == 0),
        ("the docker command line", shutil.which("docker") is not None),
        ("busybox-static", BUSYBOX.exists()),
    ) if not there]  # fmt: skip
    if missing:
        pytest.skip(f"needs {', '.join(missing)}")
    with Engine() as running:
        running.import_busybox()
        yield running
    assert running.leftovers() == []
