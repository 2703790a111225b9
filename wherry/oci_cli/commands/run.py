"""`run`: creates and starts a container, and stays with it unless told to detach."""

import os

from wherry.oci_cli.bundle import read_bundle
from wherry.oci_cli.console import Relay, forward_signals
from wherry.oci_cli.creation import create
from wherry.oci_cli.lifetime import destroy, start
from wherry.oci_cli.log import Log
from wherry.oci_cli.options import Values


def run(root: str, values: Values, log: Log) -> int:
    """Returns the program's exit code, or 0 at once when detached."""
    bundle = read_bundle(values.text("bundle"))
    container, launched = create(root, values.words[0], bundle, values, "run")
    if not values.flag("detach"):
        forward_signals(launched.pid)
    try:
        start(container, log)
    except BaseException:
        destroy(container, log)
        raise
    if values.flag("detach"):
        return 0
    if launched.console >= 0 and not values.text("console-socket"):
        Relay(launched.console).run()
    code = wait(launched.pid)
    if not values.flag("keep"):
        destroy(container, log)
    return code


def wait(pid: int) -> int:
    """The exit code of a process, 128 and its number for a signal; reaps orphans on the way."""
    while True:
        found, status = os.waitpid(-1, 0)
        if found == pid:
            code = os.waitstatus_to_exitcode(status)
            return 128 - code if code < 0 else code
