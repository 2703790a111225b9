"""`wherry` run many times: one warm interpreter that forks for each command line."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

Answer = tuple[int, str, str]
"""Exit code, standard output, standard error."""


class WarmWherry:
    """Starts the interpreter once; to be used as a context."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._scratch = tempfile.TemporaryDirectory(prefix="wherry-cli-")

    def __enter__(self) -> "WarmWherry":
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.wherry_cli"], env=environment,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        return self

    def __exit__(self, *exception: object) -> None:
        assert self._process
        with self._process:
            pass
        self._scratch.cleanup()

    def start(
        self, words: Sequence[str], environment: Mapping[str, str], directory: Path, stdin: bytes
    ) -> None:
        """Begins a command; `finish` brings its answer."""
        assert self._process
        assert self._process.stdin
        Path(self._scratch.name, "in").write_bytes(stdin)
        request = {"words": list(words), "environment": dict(environment),
                   "directory": str(directory), "scratch": self._scratch.name}  # fmt: skip
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()

    def finish(self) -> Answer:
        """Waits for the command that was started."""
        assert self._process
        assert self._process.stdout
        code = int(self._process.stdout.readline())
        out, err = (Path(self._scratch.name, name).read_bytes() for name in ("out", "err"))
        return code, out.decode(errors="replace"), err.decode(errors="replace")

    def run(
        self, words: Sequence[str], environment: Mapping[str, str], directory: Path,
        stdin: bytes = b"",
    ) -> Answer:  # fmt: skip
        """Runs a command to its end."""
        self.start(words, environment, directory, stdin)
        return self.finish()


def _import_everything() -> None:
    from wherry.cli.main import load_command
    from wherry.cli.table import COMMANDS

    for key in COMMANDS:
        load_command(key)


def _become(request: dict[str, Any]) -> None:
    scratch = request["scratch"]
    for descriptor, (name, flags) in enumerate((
        ("in", os.O_RDONLY),
        ("out", os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
        ("err", os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
    )):  # fmt: skip
        file = os.open(f"{scratch}/{name}", flags, 0o600)
        os.dup2(file, descriptor)
        os.close(file)
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["directory"])
    sys.argv = ["wherry", *request["words"]]


def _child(request: dict[str, Any]) -> None:
    from wherry.cli.main import main

    code = 70
    try:
        _become(request)
        code = main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code & 255)


def _serve() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _import_everything()
    for line in sys.stdin:
        request = json.loads(line)
        child = os.fork()
        if not child:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            _child(request)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    _serve()
