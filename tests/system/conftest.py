"""One engine for each file of tests, with an image to run."""

import os
import shutil
from collections.abc import Iterator

import pytest

from tests.support.engine import BUSYBOX, Engine
from tests.support.lan import Lan, running


def _missing() -> list[str]:
    return [what for what, there in (
        ("root", os.geteuid() == 0),
        ("the docker command line", shutil.which("docker") is not None),
        ("busybox-static", BUSYBOX.exists()),
    ) if not there]  # fmt: skip


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    if missing := _missing():
        pytest.skip(f"needs {', '.join(missing)}")
    with Engine() as running:
        running.import_busybox()
        yield running
    assert running.leftovers() == []


@pytest.fixture(scope="session")
def engine_ready() -> None:
    """Skips where there is nothing to drive an engine with."""
    if missing := _missing():
        pytest.skip(f"needs {', '.join(missing)}")


@pytest.fixture(scope="module")
def lan() -> Iterator[Lan]:
    """A machine's own network with the outside beyond it."""
    with Lan() as made:
        yield made


@pytest.fixture(scope="module")
def box(lan: Lan, engine_ready: None) -> Iterator[Engine]:
    """An engine on that machine."""
    with running(lan) as engine:
        yield engine
