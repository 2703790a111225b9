"""The list of tests that may be skipped."""

import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[3]

SKIPPING = """
import pytest

@pytest.mark.skip(reason="needs a moon")
def test_moon(): ...

def test_earth(): ...
"""


@pytest.mark.parametrize(
    ("listed", "code"),
    [("", 1), ("test_sky.py::test_moon  # no moon here", 0), ("# all\ntest_sky.py", 0)],
)
def test_a_skipped_test_fails_the_run_unless_it_is_listed(
    tmp_path: Path, listed: str, code: int
) -> None:
    (tmp_path / "test_sky.py").write_text(SKIPPING)
    (tmp_path / "conftest.py").write_text((REPOSITORY / "tests/conftest.py").read_text())
    (tmp_path / "listed").write_text(listed)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--skips=listed"],
        cwd=tmp_path, env={"PYTHONPATH": str(REPOSITORY)}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stdout + done.stderr
    named = "SKIPPED and not listed: test_sky.py::test_moon  # needs a moon" in done.stdout
    assert named == bool(code)
