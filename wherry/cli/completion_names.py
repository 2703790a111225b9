"""The names that complete a word: which command takes which, and how the engine is asked."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from wherry.cli.session import Session

_EACH_CONTAINER = ("containers",)
_RUNNING = ("running",)
_IMAGES = ("images",)

OPERANDS: dict[str, tuple[str, ...]] = {
    "attach": ("running", "end"),
    "commit": ("containers", "end"),
    "config inspect": ("configs",),
    "config rm": ("configs",),
    "context create": ("end",),
    "context export": ("contexts", "files"),
    "context import": ("end", "files"),
    "context inspect": ("contexts",),
    "context rm": ("contexts",),
    "context update": ("contexts", "end"),
    "context use": ("contexts", "end"),
    "container inspect": _EACH_CONTAINER,
    "cp": ("container-paths",),
    "create": ("images", "files"),
    "diff": ("containers", "end"),
    "exec": ("running", "files"),
    "export": ("containers", "end"),
    "history": ("images", "end"),
    "image inspect": _IMAGES,
    "images": ("images", "end"),
    "import": ("files", "end"),
    "inspect": ("objects",),
    "kill": _RUNNING,
    "load": ("end",),
    "logs": ("containers", "end"),
    "network connect": ("networks", "containers", "end"),
    "network disconnect": ("networks", "containers", "end"),
    "network inspect": ("networks",),
    "network rm": ("networks",),
    "pause": _RUNNING,
    "plugin inspect": ("plugins",),
    "port": ("running", "end"),
    "pull": ("images", "end"),
    "push": ("images", "end"),
    "rename": ("containers", "end"),
    "restart": _EACH_CONTAINER,
    "rm": _EACH_CONTAINER,
    "rmi": _IMAGES,
    "run": ("images", "files"),
    "save": _IMAGES,
    "secret create": ("end", "files"),
    "secret inspect": ("secrets",),
    "secret rm": ("secrets",),
    "start": ("stopped",),
    "stats": _RUNNING,
    "stop": _RUNNING,
    "tag": ("images", "images", "end"),
    "top": ("running", "end"),
    "unpause": ("paused",),
    "update": _EACH_CONTAINER,
    "volume clone": ("volumes", "end"),
    "volume export": ("volumes", "end"),
    "volume import": ("volumes", "files"),
    "volume inspect": ("volumes",),
    "volume rm": ("volumes",),
    "wait": _RUNNING,
}
"""By command: the kinds of its arguments, the last for all that follow."""

FLAG_VALUES: dict[str, str] = {
    "context": "contexts",
    "from": "contexts",
    "log-level": "log-levels",
    "net": "networks",
    "network": "networks",
    "pull": "pull-policies",
    "restart": "restart-policies",
    "signal": "signals",
    "stop-signal": "signals",
    "volumes-from": "containers",
}
"""By option: the kind of its value; file names complete the others."""

_WORDS = {
    "log-levels": ("debug", "info", "warn", "error", "fatal"),
    "pull-policies": ("always", "missing", "never"),
    "restart-policies": ("always", "no", "on-failure", "unhealthy", "unless-stopped"),
    "signals": ("HUP", "INT", "KILL", "QUIT", "STOP", "TERM", "USR1", "USR2"),
}
_STATES = {
    "containers": "",
    "container-paths": "",
    "paused": '{"status":{"paused":true}}',
    "running": '{"status":{"running":true}}',
    "stopped": '{"status":{"created":true,"exited":true}}',
}
_DOCUMENTS = ("secrets", "configs")


def live_names(session: Session, kind: str, current: str) -> list[tuple[str, str]]:
    """(name, description) of what there is, from the engine or from the configuration."""
    if kind in _WORDS:
        return [(word, "") for word in _WORDS[kind]]
    if kind == "contexts":
        from wherry.client.context_store import ContextStore

        return [(name, "") for name in ["default", *ContextStore(session.config.directory).names()]]
    if kind in _STATES:
        return _containers(session, kind)
    if kind == "images":
        return _images(session, current)
    if kind == "objects":
        return [*_containers(session, "containers"), *_images(session, current)]
    return [(name, "") for name in sorted(_named(session, kind))]


def _containers(session: Session, kind: str) -> list[tuple[str, str]]:
    query = {"all": "1"}
    if _STATES[kind]:
        query["filters"] = _STATES[kind]
    end = ":" if kind == "container-paths" else ""
    return [
        (str(name).removeprefix("/") + end, str(item.get("Image") or ""))
        for item in session.client.get("/containers/json", query) or ()
        for name in (item.get("Names") or ())[:1]
    ]


def _images(session: Session, current: str) -> list[tuple[str, str]]:
    """The tag `latest` is offered only after a colon."""
    found = set()
    for image in session.client.get("/images/json") or ():
        found |= {str(tag) for tag in image.get("RepoTags") or () if tag != "<none>:<none>"}
    if ":" not in current:
        found = {tag.removesuffix(":latest") for tag in found}
    return [(tag, "") for tag in sorted(found)]


def _named(session: Session, kind: str) -> list[str]:
    answer: Any = session.client.get(f"/{kind}") or ()
    if kind == "volumes":
        answer = answer["Volumes"] or ()
    if kind in _DOCUMENTS:
        return [str(item["Spec"]["Name"]) for item in answer]
    return [str(item["Name"]) for item in answer]
