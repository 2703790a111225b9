"""System calls of running processes, by strace(1): how often, never how long."""

import re
import signal
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

_CALL = re.compile(r"^(?:\d+ +)?(?P<name>\w+)\(")


@contextmanager
def traced(pids: Sequence[int], *names: str) -> Iterator[Counter[str]]:
    """Counts the named calls of processes, their threads and their children; filled at the end."""
    counts: Counter[str] = Counter()
    with tempfile.NamedTemporaryFile() as output:
        command = ["strace", "-f", "-q", "-o", output.name, "-e", f"trace={','.join(names)}"]
        for pid in pids:
            command += ["-p", str(pid)]
        tracer = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        try:
            for pid in pids:
                _await_tracer(pid)
            yield counts
        finally:
            tracer.send_signal(signal.SIGINT)
            tracer.wait(30)
        for line in Path(output.name).read_text().splitlines():
            found = _CALL.match(line)
            if found:
                counts[found["name"]] += 1


def _await_tracer(pid: int) -> None:
    """Until every thread of a process is traced (proc_pid_status(5))."""
    deadline = time.monotonic() + 30
    threads = Path(f"/proc/{pid}/task")
    while any("TracerPid:\t0\n" in (item / "status").read_text() for item in threads.iterdir()):
        assert time.monotonic() < deadline, f"strace does not attach to {pid}"
        time.sleep(0.01)
