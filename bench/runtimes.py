"""OCI runtimes on one bundle: create, start, delete, as an engine above them calls it."""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.engines import LegacyCgroups
from bench.measure import Case, Step
from tests.support.bundle import unpack_busybox

PEERS = ("crun", "runc")
OURS = str(Path(sys.executable).parent / "wherry-runtime")


class Runtimes:
    """A bundle, and every runtime of this machine with a root of its own; use as a context."""

    def __init__(self) -> None:
        self._directory = Path(tempfile.mkdtemp(prefix="bench-oci-"))
        self._namespace = LegacyCgroups()
        self._programs = {"wherry-runtime": OURS}
        for name in PEERS:
            path = shutil.which(name)
            if path:
                self._programs[name] = path

    def __enter__(self) -> "Runtimes":
        bundle = self._directory / "bundle"
        unpack_busybox(bundle / "rootfs")
        subprocess.run([OURS, "spec", "--bundle", str(bundle)], check=True)
        path = bundle / "config.json"
        config = json.loads(path.read_text())
        config["process"] |= {"terminal": False, "args": ["sleep", "100000"]}
        path.write_text(json.dumps(config))
        return self

    def __exit__(self, *exception: object) -> None:
        self._namespace.close()
        shutil.rmtree(self._directory)

    def case(self, rounds: int) -> Case:
        """The case; a container's program runs when it is deleted by force."""
        steps = {name: self._step(name, path) for name, path in self._programs.items()}
        return Case("create, start and delete of a bundle", steps, rounds)

    def _step(self, name: str, path: str) -> Step:
        identifier = f"bench-{self._directory.name[-8:]}-{name}"

        def run(*words: str) -> None:
            self._namespace.run(
                subprocess.run, [path, "--root", f"{self._directory}/{name}", *words],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True, timeout=60,
            )  # fmt: skip

        def step() -> None:
            run("create", "--bundle", f"{self._directory}/bundle", identifier)
            run("start", identifier)
            run("delete", "--force", identifier)

        return step
