"""`wherry volume create`."""

from __future__ import annotations

from wherry.cli.errors import CliError

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
        ('Cluster Volume availability ("active", "pause", "drain") (default "active")'),
        "active",
    ),
    ("driver", "d", "string", 'Specify volume driver name (default "local")', "local"),
    ("group", "", "string", "Cluster Volume group (cluster volumes)"),
    ("label", "", "label", "Set metadata for a volume"),
    ("name", "", "string", ""),
    ("limit-bytes", "", "bytes", "Minimum size of the Cluster Volume in bytes"),
    ("opt", "o", "map", "Set driver specific options (default map[])"),
    ("required-bytes", "", "bytes", "Maximum size of the Cluster Volume in bytes"),
    (
        "scope",
        "",
        "string",
        'Cluster Volume access scope ("single", "multi") (default "single")',
        "single",
    ),
    ("secret", "", "map", "Cluster Volume secrets (default map[])"),
    (
        "sharing",
        "",
        "string",
        ('Cluster Volume access sharing ("none", "readonly", "onewriter", "all") (default "none")'),
        "none",
    ),
    ("topology-preferred", "", "list", "A topology that the Cluster Volume would be preferred in"),
    ("topology-required", "", "list", "A topology that the Cluster Volume must be accessible from"),
    (
        "type",
        "",
        "string",
        'Cluster Volume access type ("mount", "block") (default "block")',
        "block",
    ),
)
ARGUMENTS = (0, 1)


def run(session: Session, options: Options, operands: list[str]) -> int:
    """Makes a volume and prints its name."""
    if options.text("name") and operands:
        raise CliError(
            "conflicting options: cannot specify a volume-name through both --name and as a "
            "positional arg"
        )
    body = {
        "Driver": options.text("driver"),
        "DriverOpts": options.pairs("opt"),
        "Labels": options.pairs("label"),
        "Name": operands[0] if operands else options.text("name"),
    }
    cluster = (
        "group",
        "type",
        "sharing",
        "scope",
        "availability",
        "secret",
        "limit-bytes",
        "required-bytes",
        "topology-preferred",
        "topology-required",
    )
    if any(options.changed(name) for name in cluster):
        raise CliError("cluster volumes need swarm mode, which this engine does not offer")
    session.out(f"{session.client.post('/volumes/create', body=body)['Name']}\n")
    return 0
