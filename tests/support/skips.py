"""Holds the skipped tests against a committed list: what the machine should have must be there.

With `--skips=FILE` a test that is skipped and not in the list fails the run. A line of the list is
a test's name, or that of a file whose tests are all skipped, `  # ` and the reason.
"""

from collections.abc import Sequence
from pathlib import Path

import pytest


class Skips:
    """Notes which tests are skipped, and judges them at the end."""

    def __init__(self, listed: Sequence[str]) -> None:
        """`listed` are the names of tests that may be skipped."""
        self._listed = frozenset(listed)
        self._skipped: dict[str, str] = {}

    def unlisted(self) -> list[str]:
        """Tests that were skipped and should not have been, with the reasons they gave."""
        return [
            f"{name}  # {reason}"
            for name, reason in sorted(self._skipped.items())
            if not {name, name.partition("::")[0]} & self._listed
        ]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A test was skipped, unless it was expected to fail and did."""
        if report.skipped and not hasattr(report, "wasxfail"):
            self._note(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A whole file was skipped."""
        if report.skipped:
            self._note(report)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Turns success into failure."""
        if self.unlisted() and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Names them."""
        for line in self.unlisted():
            terminalreporter.write_line(f"SKIPPED and not listed: {line}", red=True)

    def _note(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        self._skipped[report.nodeid] = reason.removeprefix("Skipped: ")


def read_list(path: Path) -> list[str]:
    """The names in a list, without the reasons."""
    lines = path.read_text().splitlines()
    names = [line.partition("  # ")[0].strip() for line in lines if not line.startswith("#")]
    return [name for name in names if name]
