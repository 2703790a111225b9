"""`kill`: a signal for the first process, or for all."""

import os
import signal

from wherry.oci_cli.container import Container, open_container
from wherry.oci_cli.errors import NOT_RUNNING, RuntimeFailure
from wherry.oci_cli.log import Log
from wherry.oci_cli.options import Values


def parse_signal(text: str) -> int:
    """A signal by number, or by name with or without SIG."""
    if text.isdecimal():
        return int(text)
    name = text.upper().removeprefix("SIG")
    if name.startswith("RTMIN+") and name[6:].isdecimal():
        return signal.SIGRTMIN + int(name[6:])
    try:
        return signal.Signals[f"SIG{name}"].value
    except KeyError:
        raise RuntimeFailure(f'unknown signal "{text}"') from None


def run(root: str, values: Values, log: Log) -> int:
    """Sends it."""
    identifier, *rest = values.words
    number = parse_signal(rest[0] if rest else "TERM")
    container = open_container(root, identifier)
    if values.flag("all"):
        container.cgroup().kill(number)
        return 0
    if container.status() in ("stopped", "creating"):
        raise RuntimeFailure(NOT_RUNNING)
    _signal(container, number)
    return 0


def _signal(container: Container, number: int) -> None:
    pid = container.known().pid
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        raise RuntimeFailure(NOT_RUNNING) from None
    except OSError as error:
        raise RuntimeFailure(f"signal {number}: {(error.strerror or '').lower()}") from None
    own = any(item == "pid" for item in container.plan().new_namespaces)
    if number == signal.SIGKILL and not own:
        # The others do not die with the first one, having no pid namespace that ends.
        container.cgroup().kill(number)
