"""Crash points: each is reached somewhere, each call names one, and only a chosen one kills."""

import ast
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from wherry.base import crash_points
from wherry.base.errors import InvalidParameter

ROOT = Path(crash_points.__file__).resolve().parents[1]


def named_in_calls() -> list[str]:
    """The first argument of every `crash_points.reach(...)` of the package; both of a choice."""
    found: list[str] = []
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "crash_points.reach":
                argument = node.args[0]
                choices = (
                    [argument.body, argument.orelse]
                    if isinstance(argument, ast.IfExp)
                    else [argument]
                )
                found += [ast.literal_eval(choice) for choice in choices]
    return found


def test_every_point_is_reached_in_one_place_and_every_call_names_one() -> None:
    assert sorted(named_in_calls()) == sorted(crash_points.POINTS)


def test_a_point_that_does_not_exist_is_refused() -> None:
    with pytest.raises(InvalidParameter, match=r"there is no crash point create\.nonsense"):
        crash_points.arm("create.nonsense")


def test_the_chosen_point_kills_and_no_other() -> None:
    script = (
        "from wherry.base import crash_points as points\n"
        "points.arm('exec.runs'); points.reach('exec.began'); print('alive', flush=True)\n"
        "points.reach('exec.runs'); print('never')"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT.parent)},
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (-signal.SIGKILL, "alive\n")
