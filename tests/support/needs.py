"""What tests need of the machine, probed, and said when it is missing."""

import os
import shutil

import pytest

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs the rights of root")


def needs_program(name: str) -> pytest.MarkDecorator:
    """Skips where a program is not installed."""
    return pytest.mark.skipif(shutil.which(name) is None, reason=f"needs {name}")
