"""The docker command line that is installed."""

import re
import shutil
import subprocess
from functools import cache


@cache
def docker_release() -> tuple[int, ...]:
    """The docker command line's own version, such as (28, 3, 3), empty without one.

    Its words change with it; Debian 12 has 20.10.
    """
    if not shutil.which("docker"):
        return ()
    shown = subprocess.run(["docker", "--version"], capture_output=True, text=True, check=True)
    found = re.search(r"version (\d+)\.(\d+)\.(\d+)", shown.stdout)
    assert found, shown.stdout
    return tuple(int(number) for number in found.groups())
