"""An image with real servers, made of Debian's packages once and kept outside of the repository."""

import hashlib
import inspect
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.conformance.clients import cache
from tests.support import debian

PACKAGES = ("nginx-light", "postgresql", "redis-server")
_LEFT_OUT = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*")


def servers_archive() -> Path:
    """The root file system, as a tar archive for `docker import`; minutes when it is made anew."""
    recipe = inspect.getsource(sys.modules[__name__]) + debian.codename()
    path = cache() / f"servers-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}.tar"
    if path.exists():
        return path
    cache().mkdir(parents=True, exist_ok=True)
    command = ["mmdebstrap", "--variant=apt", "--mode=root", "--quiet",
               f"--include={','.join(PACKAGES)}"]  # fmt: skip
    for pattern in _LEFT_OUT:
        command += ["--dpkgopt", f"path-exclude={pattern}"]
    for line in debian.proxy_settings():
        command += ["--aptopt", line]
    suite = debian.codename()
    with tempfile.TemporaryDirectory(dir=cache(), prefix=".making-") as scratch:
        made = f"{scratch}/root.tar"
        subprocess.run([*command, suite, made, debian.mirror(suite)], check=True,
                       capture_output=True, timeout=900)  # fmt: skip
        os.rename(made, path)
    return path
