"""Swarms, their nodes and stacks."""

from __future__ import annotations

from wherry.cli.absent.command import Absent

SWARM: dict[str, Absent] = {
    "node demote": Absent(
        "NODE [NODE...]",
        (1, -1),
        "/nodes/{}",
        "",
    ),
    "node inspect": Absent(
        "[OPTIONS] self|NODE [NODE...]",
        (1, -1),
        "/nodes/{}",
        """
f format string {format}
- pretty bool Print the information in a human friendly format
""",
    ),
    "node ls": Absent(
        "[OPTIONS]",
        (0, 0),
        "/nodes",
        """
f filter filter Filter output based on conditions provided
- format string {list}
q quiet bool Only display IDs
""",
        ("node ls", "node list"),
    ),
    "node promote": Absent(
        "NODE [NODE...]",
        (1, -1),
        "/nodes/{}",
        "",
    ),
    "node ps": Absent(
        "[OPTIONS] [NODE...]",
        (0, -1),
        "/nodes",
        """
f filter filter Filter output based on conditions provided
- format string Pretty-print tasks using a Go template
- no-resolve bool Do not map IDs to Names
- no-trunc bool Do not truncate output
q quiet bool Only display task IDs
""",
    ),
    "node rm": Absent(
        "[OPTIONS] NODE [NODE...]",
        (1, -1),
        "/nodes/{}",
        """
f force bool Force remove a node from the swarm
""",
        ("node rm", "node remove"),
    ),
    "node update": Absent(
        "[OPTIONS] NODE",
        (1, 1),
        "/nodes/{}",
        """
- availability string Availability of the node ("active", "pause", "drain")
- label-add list Add or update a node label ("key=value")
- label-rm list Remove a node label if exists
- role string Role of the node ("worker", "manager")
""",
    ),
    "stack config": Absent(
        "[OPTIONS]",
        (0, 0),
        "/info",
        """
c compose-file strings Path to a Compose file, or "-" to read from stdin
- skip-interpolation bool Skip interpolation and output only merged config
""",
    ),
    "stack deploy": Absent(
        "[OPTIONS] STACK",
        (1, 1),
        "/info",
        """
c compose-file strings Path to a Compose file, or "-" to read from stdin
d detach bool Exit immediately instead of waiting for the stack services to converge (default true)
- prune bool Prune services that are no longer referenced
q quiet bool Suppress progress output
- resolve-image string Query the registry to resolve image digest and supported platforms
    ("always", "changed", "never") (default "always")
- with-registry-auth bool Send registry authentication details to Swarm agents
""",
        ("stack deploy", "stack up"),
    ),
    "stack ls": Absent(
        "[OPTIONS]",
        (0, 0),
        "/services",
        """
- format string {list}
""",
        ("stack ls", "stack list"),
    ),
    "stack ps": Absent(
        "[OPTIONS] STACK",
        (1, 1),
        "/tasks",
        """
f filter filter Filter output based on conditions provided
- format string {list}
- no-resolve bool Do not map IDs to Names
- no-trunc bool Do not truncate output
q quiet bool Only display task IDs
""",
    ),
    "stack rm": Absent(
        "[OPTIONS] STACK [STACK...]",
        (1, -1),
        "/services",
        """
d detach bool Do not wait for stack removal (default true)
""",
        ("stack rm", "stack remove", "stack down"),
    ),
    "stack services": Absent(
        "[OPTIONS] STACK",
        (1, 1),
        "/services",
        """
f filter filter Filter output based on conditions provided
- format string {list}
q quiet bool Only display IDs
""",
    ),
    "swarm ca": Absent(
        "[OPTIONS]",
        (0, 0),
        "/swarm",
        """
- ca-cert pem-file Path to the PEM-formatted root CA certificate to use for the new cluster
- ca-key pem-file Path to the PEM-formatted root CA key to use for the new cluster
- cert-expiry duration Validity period for node certificates (ns|us|ms|s|m|h) (default 2160h0m0s)
d detach bool Exit immediately instead of waiting for the root rotation to converge
- external-ca external-ca Specifications of one or more certificate signing endpoints
q quiet bool Suppress progress output
- rotate bool Rotate the swarm CA - if no certificate or key are provided, new ones will be
    generated
""",
    ),
    "swarm init": Absent(
        "[OPTIONS]",
        (0, 0),
        "/info",
        """
- advertise-addr string Advertised address (format: "<ip|interface>[:port]")
- autolock bool Enable manager autolocking (requiring an unlock key to start a stopped manager)
- availability string Availability of the node ("active", "pause", "drain") (default "active")
- cert-expiry duration Validity period for node certificates (ns|us|ms|s|m|h) (default 2160h0m0s)
- data-path-addr string Address or interface to use for data path traffic (format: "<ip|interface>")
- data-path-port uint32 Port number to use for data path traffic (1024 - 49151). If no value is
    set or is set to 0, the default port (4789) is used.
- default-addr-pool ipNetSlice default address pool in CIDR format (default [])
- default-addr-pool-mask-length uint32 default address pool subnet mask length (default 24)
- dispatcher-heartbeat duration Dispatcher heartbeat period (ns|us|ms|s|m|h) (default 5s)
- external-ca external-ca Specifications of one or more certificate signing endpoints
- force-new-cluster bool Force create a new cluster from current state
- listen-addr node-addr Listen address (format: "<ip|interface>[:port]") (default 0.0.0.0:2377)
- max-snapshots uint Number of additional Raft snapshots to retain
- snapshot-interval uint Number of log entries between Raft snapshots (default 10000)
- task-history-limit int Task history retention limit (default 5)
""",
    ),
    "swarm join": Absent(
        "[OPTIONS] HOST:PORT",
        (1, 1),
        "/info",
        """
- advertise-addr string Advertised address (format: "<ip|interface>[:port]")
- availability string Availability of the node ("active", "pause", "drain") (default "active")
- data-path-addr string Address or interface to use for data path traffic (format: "<ip|interface>")
- listen-addr node-addr Listen address (format: "<ip|interface>[:port]") (default 0.0.0.0:2377)
- token string Token for entry into the swarm
""",
    ),
    "swarm join-token": Absent(
        "[OPTIONS] (worker|manager)",
        (1, 1),
        "/swarm",
        """
q quiet bool Only display token
- rotate bool Rotate join token
""",
    ),
    "swarm leave": Absent(
        "[OPTIONS]",
        (0, 0),
        "/info",
        """
f force bool Force this node to leave the swarm, ignoring warnings
""",
    ),
    "swarm unlock": Absent(
        "",
        (0, 0),
        "/info",
        "",
    ),
    "swarm unlock-key": Absent(
        "[OPTIONS]",
        (0, 0),
        "/swarm/unlockkey",
        """
q quiet bool Only display token
- rotate bool Rotate unlock key
""",
    ),
    "swarm update": Absent(
        "[OPTIONS]",
        (0, 0),
        "/swarm",
        """
- autolock bool Change manager autolocking setting (true|false)
- cert-expiry duration Validity period for node certificates (ns|us|ms|s|m|h) (default 2160h0m0s)
- dispatcher-heartbeat duration Dispatcher heartbeat period (ns|us|ms|s|m|h) (default 5s)
- external-ca external-ca Specifications of one or more certificate signing endpoints
- max-snapshots uint Number of additional Raft snapshots to retain
- snapshot-interval uint Number of log entries between Raft snapshots (default 10000)
- task-history-limit int Task history retention limit (default 5)
""",
    ),
}
