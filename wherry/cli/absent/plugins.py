"""The engine's plugins; `plugin ls` is a command of its own, since every engine answers it."""

from __future__ import annotations

from wherry.cli.absent.command import Absent

PLUGINS: dict[str, Absent] = {
    "plugin create": Absent(
        "[OPTIONS] PLUGIN PLUGIN-DATA-DIR",
        (2, 2),
        "/plugins/privileges",
        """
- compress bool Compress the context using gzip
""",
    ),
    "plugin disable": Absent(
        "[OPTIONS] PLUGIN",
        (1, 1),
        "/plugins/{}/json",
        """
f force bool Force the disable of an active plugin
""",
    ),
    "plugin enable": Absent(
        "[OPTIONS] PLUGIN",
        (1, 1),
        "/plugins/{}/json",
        """
- timeout int HTTP client timeout (in seconds) (default 30)
""",
    ),
    "plugin inspect": Absent(
        "[OPTIONS] PLUGIN [PLUGIN...]",
        (1, -1),
        "/plugins/{}/json",
        """
f format string {format}
""",
    ),
    "plugin install": Absent(
        "[OPTIONS] PLUGIN [KEY=VALUE...]",
        (1, -1),
        "/plugins/privileges",
        """
- alias string Local name for plugin
- disable bool Do not enable the plugin on install
- disable-content-trust bool Skip image verification (default true)
- grant-all-permissions bool Grant all permissions necessary to run the plugin
""",
    ),
    "plugin push": Absent(
        "[OPTIONS] PLUGIN[:TAG]",
        (1, 1),
        "/plugins/{}/json",
        """
- disable-content-trust bool Skip image signing (default true)
""",
    ),
    "plugin rm": Absent(
        "[OPTIONS] PLUGIN [PLUGIN...]",
        (1, -1),
        "/plugins/{}/json",
        """
f force bool Force the removal of an active plugin
""",
        ("plugin rm", "plugin remove"),
    ),
    "plugin set": Absent(
        "PLUGIN KEY=VALUE [KEY=VALUE...]",
        (2, -1),
        "/plugins/{}/json",
        "",
    ),
    "plugin upgrade": Absent(
        "[OPTIONS] PLUGIN [REMOTE]",
        (1, 2),
        "/plugins/{}/json",
        """
- disable-content-trust bool Skip image verification (default true)
- grant-all-permissions bool Grant all permissions necessary to run the plugin
- skip-remote-check bool Do not check if specified remote plugin matches existing plugin image
""",
    ),
}
