"""`make demo`: the main job on a private root, then everything is taken away again.

A daemon of its own runs a built-in image, then one made from Debian's busybox-static: with a
command, a limit, a volume, and a published port that is asked over HTTP.
"""

import ctypes
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.support.engine import BUSYBOX, busybox_archive
from tests.support.leftovers import leftovers
from wherry.images.hello import hello_archive
from wherry.model.image_config import host_architecture

WHERRY = Path(sys.executable).parent / "wherry"
_STARTS = re.compile(
    r'^engine_daemon_container_actions_seconds_(sum|count)\{action="start"\} (\S+)$', re.MULTILINE
)


class Demo:
    """One daemon on a temporary root, and the commands run against it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.host = f"unix://{root}/wherry.sock"
        self.metrics = f"127.0.0.1:{free_port()}"
        self.daemon: subprocess.Popen[bytes] | None = None

    def start_daemon(self) -> None:
        (self.root / "daemon.json").write_text("{}")
        begun = time.monotonic()
        with (self.root / "daemon.log").open("wb") as log:
            self.daemon = subprocess.Popen(
                [str(WHERRY), "daemon", "--data-root", f"{self.root}/data", "--exec-root",
                 f"{self.root}/run", "--config-file", f"{self.root}/daemon.json", "-H", self.host,
                 "--metrics-addr", self.metrics, "--pidfile", f"{self.root}/pid"],
                stdout=log, stderr=log,
            )  # fmt: skip
        while not self._answers():
            if self.daemon.poll() is not None or time.monotonic() > begun + 30:
                sys.exit((self.root / "daemon.log").read_text() or "the daemon does not start")
            time.sleep(0.02)
        print(f"# The daemon serves {self.host}    [{(time.monotonic() - begun) * 1000:.0f} ms]")

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as client:
            try:
                client.connect(f"{self.root}/wherry.sock")
            except OSError:
                return False
        return True

    def stop_daemon(self) -> None:
        if self.daemon:
            self.daemon.terminate()
            self.daemon.wait(30)

    def starts(self) -> tuple[float, int]:
        """Seconds that all starts of containers took in the engine, and their number."""
        counted = dict(_STARTS.findall(fetch(f"http://{self.metrics}/metrics")))
        return float(counted["sum"]), int(float(counted["count"]))

    def wherry(self, *words: str, stdin: bytes | None = None, quiet: bool = False) -> str:
        """Runs a command, shows it with its output and its times; returns the output."""
        seconds, number = self.starts()
        begun = time.monotonic()
        done = subprocess.run(
            [str(WHERRY), "-H", self.host, *words], input=stdin, capture_output=True, check=False
        )
        spent = f"{(time.monotonic() - begun) * 1000:.0f} ms"
        after, count = self.starts()
        if count > number:
            spent += f", of which the engine's start of the container {(after - seconds) * 1e3:.0f}"
        output = done.stdout.decode()
        if not quiet:
            print(f"$ wherry {' '.join(words)}    [{spent}]")
            for line in [*output.splitlines(), *done.stderr.decode().splitlines()]:
                print(f"    {line}")
        if done.returncode:
            sys.exit(f"`wherry {' '.join(words)}` ended with {done.returncode}: {done.stderr!r}")
        return output


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def has_libnftables() -> bool:
    try:
        ctypes.CDLL("libnftables.so.1")
    except OSError:
        return False
    return True


PACKAGES = {
    "busybox-static": BUSYBOX.exists,  # the root file system
    "libnftables1": has_libnftables,  # published ports and the way out
}
"""Debian packages that the demo needs, and whether what they bring is there."""


def install_packages() -> None:
    """Installs what is missing of the packages, and nothing else."""
    missing = [name for name, there in PACKAGES.items() if not there()]
    if not missing:
        return
    print(f"# Installing {' and '.join(missing)}", flush=True)
    if not shutil.which("apt-get"):
        sys.exit("no apt-get on this machine: install what brings them, and start again")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for words in (["update"], ["install", "-y", "--no-install-recommends", *missing]):
        done = subprocess.run(
            ["apt-get", "-q", *words], env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            sys.exit(f"apt-get {' '.join(words)} failed:\n{done.stdout}{done.stderr}")


def run(demo: Demo) -> None:
    print("# A built-in image: a static program that the project assembles itself")
    demo.wherry("import", "--change", 'CMD ["/hello"]', "-", "wherry/hello",
                stdin=hello_archive(host_architecture()))  # fmt: skip
    demo.wherry("run", "--rm", "wherry/hello")
    print("# An image made from a real root file system: Debian's busybox-static")
    demo.wherry("import", "--change", 'CMD ["sh"]', "-", "busybox", stdin=busybox_archive())
    demo.wherry("run", "--rm", "busybox", "sh", "-c", "ps; ip -o -4 addr; id")
    print("# A limit, a volume, a published port")
    demo.wherry("volume", "create", "pages")
    demo.wherry("run", "--rm", "-v", "pages:/www", "busybox", "sh", "-c",
                "echo 'served from a volume' > /www/index.html")  # fmt: skip
    demo.wherry("run", "-d", "--name", "web", "--memory", "64m", "--pids-limit", "32", "-v",
                "pages:/www:ro", "-p", "127.0.0.1::80", "busybox", "httpd", "-f", "-v", "-p", "80",
                "-h", "/www")  # fmt: skip
    address = demo.wherry("port", "web", "80").split()[0]
    answer = fetch(f"http://{address}/").strip()
    print(f"$ GET http://{address}/\n    {answer}")
    assert answer == "served from a volume"
    details = json.loads(demo.wherry("inspect", "web", quiet=True))[0]
    limit = details["HostConfig"]["Memory"] >> 20
    print(f"    memory limit {limit} MiB, state {details['State']['Status']}")
    demo.wherry("ps")
    demo.wherry("logs", "web")
    demo.wherry("rm", "-f", "web")
    demo.wherry("volume", "rm", "pages")


def fetch(url: str) -> str:
    """What a server of this machine answers, which may not have begun to listen."""
    deadline = time.monotonic() + 10
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while True:
        try:
            with opener.open(url, timeout=5) as response:
                return str(response.read().decode())
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def main() -> None:
    if os.geteuid() != 0:
        sys.exit("the demo runs containers: start it as root")
    install_packages()
    root = Path(tempfile.mkdtemp(prefix="wherry-demo-"))
    demo = Demo(root)
    try:
        demo.start_daemon()
        run(demo)
    finally:
        demo.stop_daemon()
        left = leftovers(root, root / "data")
        shutil.rmtree(root, ignore_errors=True)
    if left:
        sys.exit("left behind:\n" + "\n".join(left))
    print("# Done; no mount, link, control group, rule or process is left behind")


if __name__ == "__main__":
    main()
