"""`make demo`: the main job on a private root, then everything is taken away again.

A daemon of its own runs a built-in image, then one made from Debian's busybox-static: with a
command, a limit, a volume, and a published port that is asked over HTTP.
"""

import hashlib
import io
import json
import os
import shutil
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.request
from pathlib import Path

from wherry.images.hello import hello_archive
from wherry.model.image_config import host_architecture

BUSYBOX = Path("/bin/busybox")
WHERRY = Path(sys.executable).parent / "wherry"


class Demo:
    """One daemon on a temporary root, and the commands run against it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.host = f"unix://{root}/wherry.sock"
        self.daemon: subprocess.Popen[bytes] | None = None

    def start_daemon(self) -> None:
        (self.root / "daemon.json").write_text("{}")
        log = (self.root / "daemon.log").open("wb")
        self.daemon = subprocess.Popen(
            [str(WHERRY), "daemon", "--data-root", f"{self.root}/data", "--exec-root",
             f"{self.root}/run", "--config-file", f"{self.root}/daemon.json", "-H", self.host,
             "--pidfile", f"{self.root}/pid"],
            stdout=log, stderr=log,
        )  # fmt: skip
        deadline = time.monotonic() + 30
        while not self._answers():
            if self.daemon.poll() is not None or time.monotonic() > deadline:
                sys.exit((self.root / "daemon.log").read_text() or "the daemon does not start")
            time.sleep(0.02)

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

    def wherry(self, *words: str, stdin: bytes | None = None, quiet: bool = False) -> str:
        """Runs a command, shows it with its output and its time; returns the output."""
        begun = time.monotonic()
        done = subprocess.run(
            [str(WHERRY), "-H", self.host, *words], input=stdin, capture_output=True, check=False
        )
        spent = (time.monotonic() - begun) * 1000
        output = done.stdout.decode()
        if not quiet:
            print(f"$ wherry {' '.join(words)}    [{spent:.0f} ms]")
            for line in output.splitlines():
                print(f"    {line}")
        if done.returncode:
            print(done.stderr.decode(), file=sys.stderr)
            raise SystemExit(f"`wherry {' '.join(words)}` ended with {done.returncode}")
        return output


def busybox_archive() -> bytes:
    """A root file system: busybox-static with its applets as links, root's account."""
    buffer = io.BytesIO()
    applets = subprocess.run([BUSYBOX, "--list"], capture_output=True, check=True, text=True)
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name in ("bin", "etc", "tmp", "root", "www"):
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if name == "tmp" else 0o755
            archive.addfile(entry)
        archive.add(BUSYBOX, "bin/busybox")
        for applet in applets.stdout.split():
            entry = tarfile.TarInfo(f"bin/{applet}")
            entry.type, entry.linkname = tarfile.SYMTYPE, "busybox"
            if applet != "busybox":
                archive.addfile(entry)
        for name, text in (("passwd", "root:x:0:0:root:/root:/bin/sh\n"), ("group", "root:x:0:\n")):
            entry = tarfile.TarInfo(f"etc/{name}")
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
    return buffer.getvalue()


def need_busybox() -> None:
    if not BUSYBOX.exists():
        print("installing busybox-static")
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for words in (["update", "-q"], ["install", "-y", "-q", "busybox-static"]):
            subprocess.run(["apt-get", *words], check=True, env=environment, capture_output=True)


def run(demo: Demo) -> None:
    print("# A built-in image: a static program that the project assembles itself")
    demo.wherry("import", "--change", 'CMD ["/hello"]', "-", "wherry/hello",
                stdin=hello_archive(host_architecture()))  # fmt: skip
    demo.wherry("run", "--rm", "wherry/hello")
    print("# An image made from a real root file system")
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
    answer = fetch(f"http://{address}/")
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
    deadline = time.monotonic() + 10
    while True:
        try:
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            with opener.open(url, timeout=5) as response:
                return str(response.read().decode().strip())
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)  # the server inside has not begun to listen


def leftovers(root: Path) -> list[str]:
    """Mounts, links, cgroups that name this demo's root or engine."""
    found = [line for line in Path("/proc/self/mountinfo").read_text().splitlines()
             if str(root) in line]  # fmt: skip
    mark = hashlib.sha256(str((root / "data").resolve()).encode()).hexdigest()[:6]
    found += [link.name for link in Path("/sys/class/net").iterdir() if mark in link.name]
    for hierarchy in Path("/sys/fs/cgroup").iterdir():
        found += [str(path) for path in hierarchy.glob(f"*wherry-{mark}*")]
    return found


def main() -> None:
    if os.geteuid() != 0:
        sys.exit("the demo runs containers: start it as root")
    need_busybox()
    root = Path(tempfile.mkdtemp(prefix="wherry-demo-"))
    demo = Demo(root)
    try:
        demo.start_daemon()
        run(demo)
    finally:
        demo.stop_daemon()
        left = leftovers(root)
        shutil.rmtree(root, ignore_errors=True)
    if left:
        sys.exit("left behind: " + ", ".join(left))
    print("# Done; nothing is left behind")


if __name__ == "__main__":
    main()
