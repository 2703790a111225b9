"""`start`: lets the program of a created container run."""

from wherry.oci_cli.container import open_container
from wherry.oci_cli.lifetime import start
from wherry.oci_cli.log import Log
from wherry.oci_cli.options import Values


def run(root: str, values: Values, log: Log) -> int:
    """Starts it."""
    start(open_container(root, values.words[0]), log)
    return 0
