"""The machine's disk: Debian 12 with systemd, its kernel, and Wherry's locked dependencies.

Debian is built once for each state of this file, the disk with the dependencies once for each of
the lock files; both are kept in a cache directory outside of the repository. Packages come from the
apt sources that this machine itself uses.
"""

import contextlib
import gzip
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

SUITE = "bookworm"
PACKAGES = (
    "systemd", "systemd-sysv", "udev", "dbus", "kmod", "linux-image-cloud-amd64", "python3",
    "python3-venv", "busybox-static", "docker.io", "libnftables1", "nftables", "iproute2",
    "procps", "tini",
)  # fmt: skip
LEFT_OUT = (
    "/usr/share/man/*", "/usr/share/doc/*", "/usr/share/locale/*", "/usr/sbin/dockerd",
    "/usr/sbin/runc", "/usr/bin/containerd*",
)  # fmt: skip
"""What the packages bring and nobody uses here."""

_LOCKS = ("requirements.lock", "requirements-dev.lock")
TEST_REQUIREMENTS = ("docker", "hypothesis", "pyroute2", "pytest", "pytest-timeout")
MASKED = (
    "apt-daily.timer", "apt-daily-upgrade.timer", "containerd.service", "docker.service",
    "docker.socket", "dpkg-db-backup.timer", "e2scrub_all.timer", "e2scrub_reap.service",
    "fstrim.timer", "getty@tty1.service", "serial-getty@ttyS0.service", "nftables.service",
    "systemd-ask-password-wall.path", "systemd-binfmt.service", "systemd-hwdb-update.service",
    "systemd-logind.service", "systemd-networkd.service", "systemd-pstore.service",
    "systemd-random-seed.service", "systemd-timesyncd.service", "systemd-update-utmp.service",
    "systemd-update-utmp-runlevel.service", "systemd-user-sessions.service",
)  # fmt: skip
"""Units that cost seconds under emulation and that no test looks at."""

_BOOT_MODULES = ("virtio_pci", "virtio_blk")
_DISK_SIZE = "3G"

_RUN_UNIT = """\
[Unit]
Description=Tests that the host carried in

[Service]
Type=oneshot
ExecStart=/usr/local/sbin/run-carried-tests
StandardOutput=tty
StandardError=tty
TTYPath=/dev/ttyS0
TimeoutStartSec=infinity

[Install]
WantedBy=multi-user.target
"""

_RUN_SCRIPT = """\
#!/bin/sh
# The second disk is an archive: the wheel, the tests and what is to be done with them.
mkdir -p /carried
tar -xf /dev/vdb -C /carried
/bin/sh /carried/tests/vm/guest.sh
sync
systemctl poweroff --force --force
"""

_INIT = """\
#!/bin/busybox sh
/bin/busybox mount -t devtmpfs none /dev
/bin/busybox mount -t proc none /proc
for module in $(/bin/busybox cat /modules); do /bin/busybox insmod /$module; done
until [ -b /dev/vda ]; do /bin/busybox usleep 20000; done
/bin/busybox mount -t ext4 /dev/vda /new
/bin/busybox umount /proc
/bin/busybox mount -o move /dev /new/dev
exec /bin/busybox switch_root /new /sbin/init
"""


class BaseImage(NamedTuple):
    """Files to boot: the disk is opened as a snapshot and never written."""

    disk: Path
    kernel: Path
    initrd: Path


def cache_directory() -> Path:
    """Where images are kept between runs."""
    home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(home) / "wherry" / "vm"


def base_image(repository: Path) -> BaseImage:
    """The image for the repository's lock files, built if the cache has none."""
    digest = hashlib.sha256(Path(__file__).read_bytes())
    debian = _cached(f"debian-{digest.hexdigest()[:16]}", _build_debian)
    for name in _LOCKS:
        digest.update((repository / name).read_bytes())
    directory = _cached(
        f"image-{digest.hexdigest()[:16]}",
        lambda scratch, built: _build_image(repository, debian / "root.tar", scratch, built),
    )
    return BaseImage(directory / "disk", directory / "kernel", directory / "initrd")


def _cached(name: str, build: Callable[[Path, Path], None]) -> Path:
    """A directory of the cache; `build` fills it if it is not there, and takes older ones' place.

    It is called with a directory to work in, which goes afterwards, and the one to fill.
    """
    directory = cache_directory() / name
    if directory.is_dir():
        return directory
    directory.parent.mkdir(parents=True, exist_ok=True)
    kind = name.partition("-")[0]
    older = list(directory.parent.glob(f"{kind}-*"))
    with tempfile.TemporaryDirectory(dir=directory.parent) as scratch:
        built = Path(scratch) / "built"
        built.mkdir()
        build(Path(scratch), built)
        with contextlib.suppress(OSError):  # another run was faster
            built.rename(directory)
    for old in older:
        shutil.rmtree(old, ignore_errors=True)
    return directory


def _build_debian(_: Path, built: Path) -> None:
    """The packages, as an archive."""
    sources = Path("/etc/apt/sources.list.d/debian.sources")
    if not sources.exists():
        sources = Path("/etc/apt/sources.list")
    subprocess.run(
        ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={','.join(PACKAGES)}",
         *(f"--dpkgopt=path-exclude={path}" for path in LEFT_OUT),
         '--aptopt=Acquire::Languages "none"', SUITE, str(built / "root.tar"), str(sources)],
        check=True, stdout=sys.stderr,
    )  # fmt: skip


def _build_image(repository: Path, debian: Path, scratch: Path, built: Path) -> None:
    """The disk with what the locks ask for, and what boots it."""
    root = scratch / "root"
    root.mkdir()
    subprocess.run(
        ["tar", "-C", str(root), "--xattrs", "--xattrs-include=*", "-xpf", str(debian)], check=True
    )
    _install_requirements(repository, root)
    _configure(root)
    release = next((root / "lib/modules").iterdir()).name
    shutil.copy(root / f"boot/vmlinuz-{release}", built / "kernel")
    _make_initrd(root, release, scratch / "initrd", built / "initrd")
    shutil.rmtree(root / "boot")
    subprocess.run(
        ["mkfs.ext4", "-qq", "-F", "-O", "^has_journal", "-d", str(root), str(built / "disk"),
         _DISK_SIZE],
        check=True, stdout=sys.stderr,
    )  # fmt: skip


def _install_requirements(repository: Path, root: Path) -> None:
    """Locked wheels go in by the host, at its speed; Wherry's own is installed in the machine."""
    wheels = root / "wheels"
    for lock in _LOCKS:
        subprocess.run(
            [sys.executable, "-m", "pip", "download", "-qq", "--require-hashes",
             "--only-binary=:all:", "--python-version=3.11", "--dest", str(wheels),
             "--requirement", str(repository / lock)],
            check=True, stdout=sys.stderr,
        )  # fmt: skip
        shutil.copy(repository / lock, wheels)
    inside = ("chroot", str(root))
    subprocess.run([*inside, "python3", "-m", "venv", "/opt/wherry"], check=True)
    pip = (*inside, "/opt/wherry/bin/pip", "install", "-qq", "--no-index",
           "--find-links=/wheels")  # fmt: skip
    locked = ("--require-hashes", "--requirement", "/wheels/requirements.lock")
    subprocess.run([*pip, *locked], check=True, stdout=sys.stderr)
    subprocess.run([*pip, *TEST_REQUIREMENTS], check=True, stdout=sys.stderr)
    shutil.rmtree(wheels)


def _configure(root: Path) -> None:
    units = root / "etc/systemd/system"
    for name in MASKED:
        (units / name).unlink(missing_ok=True)
        (units / name).symlink_to("/dev/null")
    (units / "carried-tests.service").write_text(_RUN_UNIT)
    wants = units / "multi-user.target.wants"
    wants.mkdir(exist_ok=True)
    (wants / "carried-tests.service").symlink_to("/etc/systemd/system/carried-tests.service")
    script = root / "usr/local/sbin/run-carried-tests"
    script.write_text(_RUN_SCRIPT)
    script.chmod(0o755)
    (root / "etc/hostname").write_text("wherry-vm\n")
    (root / "etc/hosts").write_text("127.0.0.1 localhost wherry-vm\n::1 localhost\n")
    (root / "etc/resolv.conf").write_text("nameserver 192.0.2.53\n")
    (root / "etc/fstab").write_text("")
    (root / "etc/machine-id").write_text("")
    # Tests that change the machine itself look for this file.
    (root / "etc/wherry-test-machine").write_text("")
    (root / "etc/profile.d/wherry.sh").write_text("PATH=/opt/wherry/bin:$PATH\n")


def _make_initrd(root: Path, release: str, tree: Path, target: Path) -> None:
    """A few modules and busybox: Debian's own takes a minute to unpack under emulation."""
    (tree / "bin").mkdir(parents=True)
    for name in ("dev", "proc", "new"):
        (tree / name).mkdir()
    shutil.copy(root / "bin/busybox", tree / "bin/busybox")
    names: list[str] = []
    for module in _BOOT_MODULES:
        shown = subprocess.run(
            ["chroot", str(root), "modprobe", "-S", release, "--show-depends", module],
            check=True, capture_output=True, text=True,
        ).stdout  # fmt: skip
        for line in shown.splitlines():
            path = Path(line.split()[1])
            if path.name not in names:
                names.append(path.name)
                shutil.copy(root / path.relative_to("/"), tree / path.name)
    (tree / "modules").write_text("\n".join(names))
    (tree / "init").write_text(_INIT)
    (tree / "init").chmod(0o755)
    files = "\n".join(str(path.relative_to(tree)) for path in sorted(tree.rglob("*")))
    packed = subprocess.run(
        ["cpio", "--quiet", "-o", "-H", "newc"], input=files.encode(), cwd=tree,
        capture_output=True, check=True,
    ).stdout  # fmt: skip
    target.write_bytes(gzip.compress(packed, 6))
