"""`wherry volume update`."""

from __future__ import annotations

from wherry.cli.errors import CliError
from wherry.client.query import escape_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wherry.cli.options import Option, Options
    from wherry.cli.session import Session

SYNTAX = "[OPTIONS] [VOLUME]"
ALIASES: tuple[str, ...] = ()
OPTIONS: tuple[Option, ...] = (
    (
        "availability",
        "",
        "string",
        'Cluster Volume availability ("active", "pause", "drain") (default "active")',
        "active",
    ),
)
ARGUMENTS = (1, 1)
DESCRIPTION = "Update a volume (cluster volumes only)"


def run(session: Session, options: Options, operands: list[str]) -> int:
    """Changes a cluster volume, which is a swarm's."""
    volume = session.client.get(f"/volumes/{escape_path(operands[0])}")
    cluster = volume.get("ClusterVolume")
    if cluster is None:
        raise CliError("can only update cluster volumes")
    spec = cluster.get("Spec") or {}
    spec["Availability"] = options.text("availability").lower()
    version = {"version": str((cluster.get("Version") or {}).get("Index", 0))}
    path = f"/volumes/{escape_path(str(cluster['ID']))}"
    session.client.begin("PUT", path, version, {"Spec": spec}).value()
    return 0
