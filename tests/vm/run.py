"""Runs the tests that need cgroup version 2 and systemd in a virtual machine, and shows them.

By software emulation, so that it works everywhere: /dev/kvm is often missing, and where it is
nested it may hang; `--kvm` uses it. The second disk carries Wherry's wheel and the tests in, the
third carries the results out.
"""

import argparse
import shutil
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from tests.vm.base_image import BaseImage, base_image

REPOSITORY = Path(__file__).resolve().parent.parent.parent
CARRIED = ("bin", "tests", "packaging", "demo", "pyproject.toml", "README.md")
_RESULT_SIZE = 32 << 20
_COMMAND_LINE = (
    "console=ttyS0 root=/dev/vda rw quiet loglevel=3 mitigations=off nokaslr audit=0 "
    "random.trust_cpu=on systemd.show_status=false systemd.log_level=warning "
    "systemd.unified_cgroup_hierarchy=1 net.ifnames=0 fsck.mode=skip panic=5"
)


def main() -> int:
    """0 if everything passed inside; what the machine says goes to standard output."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30, help="when to give up")
    parser.add_argument("--out", type=Path, help="directory for the results (junit, journal)")
    parser.add_argument("--script", type=Path, help="run this shell script inside instead")
    parser.add_argument("--kvm", action="store_true", help="use /dev/kvm")
    parser.add_argument("tests", nargs="*", help="arguments for pytest instead of the selection")
    options = parser.parse_args()
    began = time.monotonic()
    image = base_image(REPOSITORY)
    _say(f"image ready after {time.monotonic() - began:.0f} s")
    with tempfile.TemporaryDirectory(prefix="wherry-vm-") as name:
        scratch = Path(name)
        payload = scratch / "payload"
        _pack(payload, scratch, options.tests, options.script)
        result = scratch / "result"
        with result.open("wb") as file:
            file.truncate(_RESULT_SIZE)
        _say(f"booting after {time.monotonic() - began:.0f} s")
        ended = _boot(image, payload, result, options.minutes * 60, options.kvm)
        out = options.out or scratch / "out"
        status = _unpack(result, out)
        _summarise(out)
    _say(f"machine {'ended' if ended else 'was ended'}, {time.monotonic() - began:.0f} s in all")
    return status if ended else 1


def _say(text: str) -> None:
    print(f"vm: {text}", flush=True)


def _pack(payload: Path, scratch: Path, tests: list[str], script: Path | None) -> None:
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "-qq", "--no-deps", "--wheel-dir",
         str(scratch / "wheel"), str(REPOSITORY)],
        check=True, stdout=sys.stderr,
    )  # fmt: skip
    with tarfile.open(payload, "w") as archive:
        for name in CARRIED:
            if (REPOSITORY / name).exists():
                archive.add(REPOSITORY / name, name, filter=_without_caches)
        archive.add(next((scratch / "wheel").glob("wherry-*.whl")).parent, "wheel")
        (scratch / "arguments").write_text("\n".join(tests))
        archive.add(scratch / "arguments", "arguments")
        if script:
            archive.add(script, "script")


def _without_caches(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    return None if "__pycache__" in entry.name else entry


def _boot(image: BaseImage, payload: Path, result: Path, seconds: float, kvm: bool) -> bool:
    """Runs the machine to its end; False if it had to be ended."""
    accelerator = ["-accel", "tcg,thread=multi,tb-size=512"]
    if kvm:
        accelerator = ["-accel", "kvm"]
    disks: list[str] = []
    for number, (path, extra) in enumerate(
        ((image.disk, "snapshot=on"), (payload, "readonly=on"), (result, "snapshot=off"))
    ):
        disks += [
            "-drive", f"file={path},format=raw,if=none,id=d{number},cache=unsafe,{extra}",
            "-device", f"virtio-blk-pci,drive=d{number}",
        ]  # fmt: skip
    command = [
        "nice", "-n", "10", "qemu-system-x86_64", "-machine", "pc,hpet=off", *accelerator,
        "-cpu", "max,la57=off", "-smp", "2", "-m", "2048", "-nodefaults", "-no-user-config",
        "-no-reboot", "-display", "none", "-serial", "stdio", "-device", "virtio-rng-pci",
        "-kernel", str(image.kernel), "-initrd", str(image.initrd), "-append", _COMMAND_LINE,
        *disks,
    ]  # fmt: skip
    machine = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    limit = threading.Timer(seconds, machine.kill)
    limit.start()
    try:
        assert machine.stdout
        for line in machine.stdout:
            sys.stdout.write(line.decode(errors="replace").replace("\r", ""))
            sys.stdout.flush()
        return machine.wait() == 0
    finally:
        limit.cancel()
        machine.kill()
        machine.wait()


def _unpack(result: Path, out: Path) -> int:
    out.mkdir(parents=True, exist_ok=True)
    try:
        with tarfile.open(result) as archive:
            archive.extractall(out, filter="data")
        return int((out / "status").read_text())
    except (tarfile.TarError, FileNotFoundError, ValueError):
        _say("the machine brought no result back")
        return 1


def _summarise(out: Path) -> None:
    report = out / "junit.xml"
    if not report.exists():
        return
    suites = ElementTree.parse(report).getroot().iter("testsuite")
    for suite in suites:
        counts = {name: int(suite.get(name, "0")) for name in
                  ("tests", "failures", "errors", "skipped")}  # fmt: skip
        _say(", ".join(f"{value} {name}" for name, value in counts.items()))


if __name__ == "__main__":
    if shutil.which("qemu-system-x86_64") is None:
        sys.exit("vm: qemu-system-x86_64 is missing: make vm-packages installs it")
    sys.exit(main())
