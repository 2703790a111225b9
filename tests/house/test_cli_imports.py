"""What the command line loads: little for what is called often, nothing that only Linux has."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.canned_engine import CannedEngine

ROOT = Path(__file__).resolve().parents[2]

EVERY_START = """
wherry wherry.base wherry.base.errors wherry.cli wherry.cli.commands wherry.cli.errors
wherry.cli.main wherry.cli.options wherry.cli.session wherry.cli.table wherry.cli.units
wherry.cli.values wherry.client wherry.client.config_file wherry.client.contexts
wherry.client.engine wherry.client.errors wherry.client.http wherry.client.json_text
wherry.client.query wherry.client.transport
"""

BUDGETS = {
    "version": "wherry.cli.commands.version wherry.cli.option_texts",
    "ps": """
    wherry.cli.commands.ps wherry.cli.container_fields wherry.cli.filters wherry.cli.listing
    wherry.cli.option_texts wherry.cli.reference wherry.cli.tabwriter wherry.cli.timestamps
    """,
    "run -d image": """
    wherry.cli.commands.run wherry.cli.creation wherry.cli.creation.body
    wherry.cli.creation.create wherry.cli.creation.mounts wherry.cli.creation.options
    wherry.cli.csv_fields wherry.cli.env_files wherry.cli.option_versions wherry.cli.reference
    wherry.cli.terminal
    """,
}
"""What a command may load beside what every start needs."""

STANDARD = {"__future__", "_json", "_socket"}
"""What may be loaded of the standard library: what a bare interpreter lacks and costs nothing."""

LINUX_ONLY = (
    "crypt", "fcntl", "grp", "nis", "ossaudiodev", "pty", "pwd", "readline", "resource",
    "spwd", "syslog", "termios", "tty",
)  # fmt: skip

LOADED = """
import sys
sys.path.insert(0, sys.argv[1])
before = set(sys.modules)
from wherry.cli.main import main
code = main(sys.argv[2:])
print("\\n".join(sorted(set(sys.modules) - before)), file=sys.stderr)
sys.exit(code)
"""

HIDDEN = """
import pkgutil
import sys

class Hide:
    def find_spec(self, name, path=None, target=None):
        if name in HIDDEN:
            raise ModuleNotFoundError(f"{name} is not on this system", name=name)

sys.path.insert(0, sys.argv[1])
HIDDEN = set(sys.argv[2].split(","))
for name in HIDDEN:
    sys.modules.pop(name, None)
sys.meta_path.insert(0, Hide())
import wherry.cli, wherry.client
for package in (wherry.client, wherry.cli):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        __import__(module.name)
from wherry.cli.main import main
sys.exit(main(sys.argv[3:]))
"""


def interpret(
    source: str, words: list[str], environment: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", "-c", source, str(ROOT), *words]
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, timeout=60
    )


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    answers = {
        "GET /version": (200, {"Version": "1", "Components": []}),
        "GET /containers/json": (200, [{"Id": "0" * 64, "Created": 1, "Image": "i", "Names": []}]),
        "POST /containers/create": (201, {"Id": "0" * 64}),
    }
    with CannedEngine(tmp_path, answers, (204, b"")) as engine:
        yield {"DOCKER_HOST": engine.host, "HOME": str(tmp_path), "PATH": os.environ["PATH"]}


@pytest.mark.parametrize("line", BUDGETS)
def test_a_command_loads_what_it_needs_and_nothing_else(
    line: str, environment: dict[str, str]
) -> None:
    done = interpret(LOADED, line.split(), environment)
    assert done.returncode == 0, done.stderr
    allowed = {*EVERY_START.split(), *BUDGETS[line].split(), *STANDARD}
    assert set(done.stderr.split()) - allowed == set()


def test_client_and_cli_load_where_nothing_of_linux_is(environment: dict[str, str]) -> None:
    done = interpret(HIDDEN, [",".join(LINUX_ONLY), "ps", "-q"], environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{'0' * 12}\n"
