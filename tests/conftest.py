"""Puts the repository's root on the path, so that tests share what lies in tests/support."""

import signal
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.support.skips import Skips, read_list


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--skips=FILE`, for continuous integration."""
    parser.addoption(
        "--skips", type=Path, metavar="FILE", help="fail if a test is skipped that FILE has not"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Watches the skips where a list was given; interrupts count for what tests start."""
    # A shell's background job ignores them, and so would its children.
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if path := config.getoption("--skips"):
        config.pluginmanager.register(Skips(read_list(path)), "skips")
