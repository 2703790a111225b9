"""The command line starts fast because it imports little."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
HEAVY = (
    "argparse", "asyncio", "collections", "dataclasses", "enum", "http", "inspect", "json",
    "logging", "pathlib", "re", "signal", "socket", "ssl", "subprocess", "tarfile", "threading",
    "typing", "urllib", "msgspec", "fcntl", "termios", "ctypes",
)  # fmt: skip


def imported_by(code):
    program = f"import sys; sys.path.insert(0, {str(ROOT)!r}); {code}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-S", "-E", "-c", program], capture_output=True, text=True, check=True
    )
    return set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize(
    "module",
    ["wherry.cli.main", "wherry.cli.commands.version", "wherry.cli.commands.ps",
     "wherry.cli.commands.run", "wherry.cli.attachment", "wherry.client.engine",
     "wherry.client.transport", "wherry.client.contexts"],
)  # fmt: skip
def test_what_every_start_needs_is_light(module):
    assert imported_by(f"import {module}") & set(HEAVY) == set()


def test_the_main_module_loads_no_command():
    loaded = imported_by("import wherry.cli.main")
    assert {name for name in loaded if name.startswith("wherry.cli.commands")} == set()
