"""`ps`: the processes of a container, by the host's ps(1)."""

import subprocess

import msgspec

from wherry.oci_cli.container import open_container
from wherry.oci_cli.errors import RuntimeFailure
from wherry.oci_cli.log import Log
from wherry.oci_cli.options import Values


def run(root: str, values: Values, log: Log) -> int:
    """Prints JSON pids, or those lines of ps that are the container's."""
    identifier, *options = values.words
    pids = open_container(root, identifier).cgroup().processes()
    form = values.text("format", "table")
    if form == "json":
        print(msgspec.json.encode(pids).decode())
        return 0
    if form != "table":
        raise RuntimeFailure("invalid format option")
    try:
        done = subprocess.run(["ps", *(options or ["-ef"])], capture_output=True, text=True,
                              check=True)  # fmt: skip
    except FileNotFoundError:
        raise RuntimeFailure("ps: program not found: install procps") from None
    except subprocess.CalledProcessError as error:
        raise RuntimeFailure(f"ps: {error.stderr.strip()}") from None
    head, *lines = done.stdout.splitlines()
    if "PID" not in head.split():
        raise RuntimeFailure("couldn't find PID field in ps output")
    column = head.split().index("PID")
    print(head)
    for line in lines:
        if int(line.split()[column]) in pids:
            print(line)
    return 0
