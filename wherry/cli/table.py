"""The commands: one literal table from a command's words to its module and its one-line help."""

from __future__ import annotations

COMMANDS: dict[str, tuple[str, str]] = {
    "attach": (
        "attach",
        "Attach local standard input, output, and error streams to a running container",
    ),
    "commit": ("commit", "Create a new image from a container's changes"),
    "cp": ("cp", "Copy files/folders between a container and the local filesystem"),
    "create": ("create", "Create a new container"),
    "daemon": ("daemon", "Run the engine"),
    "diff": ("diff", "Inspect changes to files or directories on a container's filesystem"),
    "events": ("events", "Get real time events from the server"),
    "exec": ("exec", "Execute a command in a running container"),
    "export": ("export", "Export a container's filesystem as a tar archive"),
    "history": ("history", "Show the history of an image"),
    "images": ("images", "List images"),
    "import": ("import_image", "Import the contents from a tarball to create a filesystem image"),
    "info": ("info", "Display system-wide information"),
    "inspect": ("inspect", "Return low-level information on Docker objects"),
    "kill": ("kill", "Kill one or more running containers"),
    "load": ("load", "Load an image from a tar archive or STDIN"),
    "login": ("login", "Authenticate to a registry"),
    "logout": ("logout", "Log out from a registry"),
    "logs": ("logs", "Fetch the logs of a container"),
    "pause": ("pause", "Pause all processes within one or more containers"),
    "port": ("port", "List port mappings or a specific mapping for the container"),
    "ps": ("ps", "List containers"),
    "pull": ("pull", "Download an image from a registry"),
    "push": ("push", "Upload an image to a registry"),
    "rename": ("rename", "Rename a container"),
    "restart": ("restart", "Restart one or more containers"),
    "rm": ("rm", "Remove one or more containers"),
    "rmi": ("rmi", "Remove one or more images"),
    "run": ("run", "Create and run a new container from an image"),
    "save": (
        "save",
        "Save one or more images to a tar archive (streamed to STDOUT by default)",
    ),
    "search": ("search", "Search Docker Hub for images"),
    "start": ("start", "Start one or more stopped containers"),
    "stats": ("stats", "Display a live stream of container(s) resource usage statistics"),
    "stop": ("stop", "Stop one or more running containers"),
    "tag": ("tag", "Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE"),
    "top": ("top", "Display the running processes of a container"),
    "unpause": ("unpause", "Unpause all processes within one or more containers"),
    "update": ("update", "Update configuration of one or more containers"),
    "version": ("version", "Show the Docker version information"),
    "wait": ("wait", "Block until one or more containers stop, then print their exit codes"),
    "container inspect": (
        "container_inspect",
        "Display detailed information on one or more containers",
    ),
    "container prune": ("container_prune", "Remove all stopped containers"),
    "image inspect": ("image_inspect", "Display detailed information on one or more images"),
    "image prune": ("image_prune", "Remove unused images"),
    "network connect": ("network_connect", "Connect a container to a network"),
    "network create": ("network_create", "Create a network"),
    "network disconnect": ("network_disconnect", "Disconnect a container from a network"),
    "network inspect": (
        "network_inspect",
        "Display detailed information on one or more networks",
    ),
    "network ls": ("network_ls", "List networks"),
    "network prune": ("network_prune", "Remove all unused networks"),
    "network rm": ("network_rm", "Remove one or more networks"),
    "system df": ("system_df", "Show docker disk usage"),
    "system dial-stdio": (
        "system_dial_stdio",
        "Proxy the stdio stream to the daemon connection. Should not be invoked manually.",
    ),
    "system prune": ("system_prune", "Remove unused data"),
    "volume clone": ("volume_clone", "Make a new volume with the files of another"),
    "volume create": ("volume_create", "Create a volume"),
    "volume export": ("volume_export", "Export a volume's files as a tar archive"),
    "volume import": ("volume_import", "Make or fill a volume from a tar archive"),
    "volume inspect": (
        "volume_inspect",
        "Display detailed information on one or more volumes",
    ),
    "volume ls": ("volume_ls", "List volumes"),
    "volume prune": ("volume_prune", "Remove unused local volumes"),
    "volume rm": ("volume_rm", "Remove one or more volumes"),
}

ALIASES: dict[str, str] = {
    "container list": "ps",
    "container ls": "ps",
    "container ps": "ps",
    "container remove": "rm",
    "image list": "images",
    "image ls": "images",
    "image remove": "rmi",
    "image rm": "rmi",
    "network list": "network ls",
    "network remove": "network rm",
    "volume list": "volume ls",
    "volume remove": "volume rm",
}
"""Other words for a command; the rest of a group's commands are those of GROUPS."""

GROUPS: dict[str, tuple[str, tuple[str, ...]]] = {
    "container": (
        "Manage containers",
        (
            "attach",
            "commit",
            "cp",
            "create",
            "diff",
            "exec",
            "export",
            "inspect",
            "kill",
            "logs",
            "ls",
            "pause",
            "port",
            "prune",
            "rename",
            "restart",
            "rm",
            "run",
            "start",
            "stats",
            "stop",
            "top",
            "unpause",
            "update",
            "wait",
        ),
    ),
    "image": (
        "Manage images",
        (
            "history",
            "import",
            "inspect",
            "load",
            "ls",
            "prune",
            "pull",
            "push",
            "rm",
            "save",
            "tag",
        ),
    ),
    "network": (
        "Manage networks",
        ("connect", "create", "disconnect", "inspect", "ls", "prune", "rm"),
    ),
    "system": ("Manage Docker", ("df", "events", "info", "prune")),
    "volume": (
        "Manage volumes",
        ("clone", "create", "export", "import", "inspect", "ls", "prune", "rm"),
    ),
}
"""Groups with their help and the commands shown in it."""

COMMON = (
    "run",
    "exec",
    "ps",
    "pull",
    "push",
    "images",
    "login",
    "logout",
    "search",
    "version",
    "info",
)
"""The commands that `wherry --help` shows first."""


def resolve(words: list[str]) -> tuple[str, str, int] | None:
    """(path shown to the user, key of COMMANDS, words used), or None for an unknown command."""
    first = words[0]
    if first not in GROUPS:
        return (first, first, 1) if first in COMMANDS else None
    if len(words) < 2:
        return None
    path = f"{first} {words[1]}"
    if path in COMMANDS:
        return path, path, 2
    if path in ALIASES:
        return path, ALIASES[path], 2
    if words[1] in GROUPS[first][1] and words[1] in COMMANDS:
        return path, words[1], 2
    return None
