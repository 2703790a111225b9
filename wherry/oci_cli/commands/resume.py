"""`resume`: lets a paused container go on."""

from wherry.oci_cli.container import open_container
from wherry.oci_cli.errors import RuntimeFailure
from wherry.oci_cli.log import Log
from wherry.oci_cli.options import Values


def run(root: str, values: Values, log: Log) -> int:
    """Thaws it."""
    container = open_container(root, values.words[0])
    if container.status() != "paused":
        raise RuntimeFailure("container not paused")
    container.cgroup().thaw()
    return 0
