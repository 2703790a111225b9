"""`state`: the container's state as JSON (runtime.md, query state)."""

import msgspec

from wherry.oci_cli.container import Container, open_container
from wherry.oci_cli.log import Log
from wherry.oci_cli.options import Values


def describe(container: Container) -> dict[str, object]:
    """The specification's fields and those that runc adds."""
    record, state = container.known(), container.state()
    found: dict[str, object] = {
        "ociVersion": record.oci_version, "id": record.id, "pid": state.pid,
        "status": state.status, "bundle": record.bundle, "rootfs": record.rootfs,
        "created": record.created,
    }  # fmt: skip
    if record.annotations:
        found["annotations"] = record.annotations
    return {**found, "owner": ""}


def run(root: str, values: Values, log: Log) -> int:
    """Prints it."""
    text = msgspec.json.encode(describe(open_container(root, values.words[0])))
    print(msgspec.json.format(text, indent=2).decode())
    return 0
