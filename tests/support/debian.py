"""Where this machine gets its packages from, found when it is needed and written down nowhere."""

import subprocess
from pathlib import Path


def codename() -> str:
    """The release that this machine runs, empty if it is no Debian."""
    lines = Path("/etc/os-release").read_text().splitlines()
    fields = dict(line.split("=", 1) for line in lines if "=" in line)
    return fields.get("VERSION_CODENAME", "") if fields.get("ID") == "debian" else ""


def mirror(suite: str) -> str:
    """The archive that the machine's own apt uses for a release, empty if there is none."""
    shown = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)",
         "Created-By: Packages"], capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    found = [line.split() for line in shown.splitlines()]
    return next((uri for uri, release, component in found
                 if release == suite and component == "main"), "")  # fmt: skip


def proxy_settings() -> list[str]:
    """The machine's own apt settings about proxies, as lines of apt.conf(5)."""
    shown = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=True)
    return [line for line in shown.stdout.splitlines()
            if line.startswith("Acquire::") and "proxy" in line.lower()]  # fmt: skip


def make_root(target: Path, suite: str) -> None:
    """A root file system of a release, made by mmdebstrap as a tar archive."""
    command = ["mmdebstrap", "--variant=apt", "--mode=root", "--quiet"]
    for line in proxy_settings():
        command += ["--aptopt", line]
    subprocess.run([*command, suite, str(target), mirror(suite)], check=True, capture_output=True,
                   timeout=600)  # fmt: skip
