"""`delete`: forgets a stopped container; with `--force` one that runs, too."""

from wherry.oci_cli.container import check_name, open_container
from wherry.oci_cli.errors import NO_SUCH_CONTAINER, RuntimeFailure
from wherry.oci_cli.lifetime import destroy
from wherry.oci_cli.log import Log
from wherry.oci_cli.options import Values


def run(root: str, values: Values, log: Log) -> int:
    """Deletes it; what was only created, and never started, needs no force."""
    identifier, force = values.words[0], values.flag("force")
    check_name(identifier)
    try:
        container = open_container(root, identifier)
    except RuntimeFailure as error:
        if force and error.message == NO_SUCH_CONTAINER:
            return 0
        raise
    status = container.status()
    if not force and status not in ("stopped", "created"):
        raise RuntimeFailure(f"cannot delete container {identifier} that is not stopped: {status}")
    destroy(container, log)
    return 0
