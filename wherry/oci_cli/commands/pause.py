"""`pause`: freezes every process of the container."""

from wherry.oci_cli.container import open_container
from wherry.oci_cli.errors import RuntimeFailure
from wherry.oci_cli.log import Log
from wherry.oci_cli.options import Values


def run(root: str, values: Values, log: Log) -> int:
    """Freezes it."""
    container = open_container(root, values.words[0])
    status = container.status()
    if status not in ("running", "created"):
        raise RuntimeFailure(f"container not running or created: {status}")
    container.cgroup().freeze()
    return 0
