"""`create`: makes a container whose program waits for `start`."""

import os

from wherry.oci_cli.bundle import read_bundle
from wherry.oci_cli.creation import create
from wherry.oci_cli.log import Log
from wherry.oci_cli.options import Values


def run(root: str, values: Values, log: Log) -> int:
    """Makes the container and leaves it to its parent's parent, or a subreaper above."""
    bundle = read_bundle(values.text("bundle"))
    _, launched = create(root, values.words[0], bundle, values, "create")
    if launched.console >= 0 and not values.text("console-socket"):
        os.close(launched.console)
    return 0
