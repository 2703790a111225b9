"""The machine's systemd, for tests that install units: only on a machine made for tests."""

import subprocess
from pathlib import Path

import pytest

UNITS = Path("/etc/systemd/system")

needs_systemd = pytest.mark.skipif(
    not (Path("/run/systemd/system").is_dir() and Path("/etc/wherry-test-machine").exists()),
    reason="needs systemd on a machine made for tests (make vm)",
)


def systemctl(*words: str, check: bool = True) -> str:
    """What systemctl prints; fails the test if it fails."""
    if words[0] in ("start", "restart"):
        # Tests start services more often than StartLimitBurst lets anybody.
        systemctl("reset-failed", *words[1:], check=False)
    done = subprocess.run(["systemctl", "--no-pager", *words], capture_output=True, text=True,
                          check=False)  # fmt: skip
    if check and done.returncode:
        raise AssertionError(f"systemctl {' '.join(words)}: {done.stderr}")
    return done.stdout.strip()


def state(unit: str) -> str:
    """`active`, `inactive`, `failed` ..."""
    return systemctl("is-active", unit, check=False)
