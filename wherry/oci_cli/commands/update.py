"""`update`: new limits for a running container, from a file of the specification's resources."""

import sys

import msgspec

from wherry.model.runtime_spec import Linux, LinuxResources
from wherry.oci_cli.container import open_container
from wherry.oci_cli.errors import RuntimeFailure
from wherry.oci_cli.log import Log
from wherry.oci_cli.options import Values
from wherry.runtime.plan import resources


def run(root: str, values: Values, log: Log) -> int:
    """Writes the limits; devices stay as they are."""
    container = open_container(root, values.words[0])
    source = values.text("resources")
    if not source:
        raise RuntimeFailure("update needs --resources")
    if container.status() == "stopped":
        raise RuntimeFailure("container not running")
    if source == "-":
        data = sys.stdin.buffer.read()
    else:
        with open(source, "rb") as file:
            data = file.read()
    try:
        limits = msgspec.json.decode(data, type=LinuxResources)
    except msgspec.MsgspecError as error:
        raise RuntimeFailure(f"resources: {error}") from None
    wanted = resources(Linux(resources=limits))
    container.cgroup().apply(msgspec.structs.replace(wanted, devices=()))
    return 0
