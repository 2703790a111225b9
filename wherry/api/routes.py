"""Every endpoint of the API: one row each, tried in this order."""

from wherry.api import containers, images, networks, ping, secrets, system, volumes
from wherry.api.app import Route
from wherry.api.streams import archive, attach, execs, logs, resize, stats, top

ROUTES: tuple[Route, ...] = (
    Route("GET", "/_ping", ping.ping, "1.24"),
    Route("HEAD", "/_ping", ping.ping, "1.24"),
    # The engine
    Route("GET", "/info", system.info, "1.24"),
    Route("GET", "/version", system.version, "1.24"),
    Route("GET", "/events", system.events, "1.24"),
    Route("GET", "/system/df", system.disk_usage, "1.25"),
    # Containers
    Route("GET", "/containers/json", containers.list_all, "1.24"),
    Route("GET", "/containers/{id}/json", containers.inspect, "1.24"),
    Route("POST", "/containers/prune", containers.prune, "1.25"),
    Route("POST", "/containers/{id}/update", containers.update, "1.24"),
    Route("POST", "/containers/create", containers.create, "1.24"),
    Route("POST", "/containers/{id}/start", containers.start, "1.24"),
    Route("POST", "/containers/{id}/stop", containers.stop, "1.24"),
    Route("POST", "/containers/{id}/restart", containers.restart, "1.24"),
    Route("POST", "/containers/{id}/kill", containers.kill, "1.24"),
    Route("POST", "/containers/{id}/pause", containers.pause, "1.24"),
    Route("POST", "/containers/{id}/unpause", containers.unpause, "1.24"),
    Route("POST", "/containers/{id}/rename", containers.rename, "1.24"),
    Route("POST", "/containers/{id}/wait", containers.wait, "1.24"),
    Route("DELETE", "/containers/{id}", containers.remove, "1.24"),
    # Containers' streams
    Route("POST", "/containers/{id}/attach", attach.attach, "1.24"),
    Route("GET", "/containers/{id}/attach/ws", attach.attach_websocket, "1.24"),
    Route("GET", "/containers/{id}/logs", logs.logs, "1.24"),
    Route("POST", "/containers/{id}/resize", resize.resize, "1.24"),
    Route("GET", "/containers/{id}/top", top.top, "1.24"),
    Route("GET", "/containers/{id}/stats", stats.stats, "1.24"),
    Route("POST", "/containers/{id}/exec", execs.create, "1.24"),
    Route("POST", "/exec/{id}/start", execs.start, "1.24"),
    Route("POST", "/exec/{id}/resize", execs.resize, "1.24"),
    Route("GET", "/exec/{id}/json", execs.inspect, "1.24"),
    # Containers' files
    Route("HEAD", "/containers/{id}/archive", archive.describe, "1.24"),
    Route("GET", "/containers/{id}/archive", archive.read, "1.24"),
    Route("PUT", "/containers/{id}/archive", archive.write, "1.24"),
    Route("GET", "/containers/{id}/export", archive.export, "1.24"),
    Route("GET", "/containers/{id}/changes", archive.changes, "1.24"),
    # Images
    Route("GET", "/images/json", images.list_all, "1.24"),
    Route("POST", "/images/create", images.create, "1.24"),
    Route("POST", "/images/load", images.load, "1.24"),
    Route("GET", "/images/get", images.save, "1.24"),
    Route("GET", "/images/{name}/get", images.save, "1.24"),
    Route("POST", "/commit", images.commit, "1.24"),
    Route("GET", "/images/{name}/json", images.inspect, "1.24"),
    Route("GET", "/images/{name}/history", images.history, "1.24"),
    Route("POST", "/images/{name}/tag", images.tag, "1.24"),
    Route("DELETE", "/images/{name}", images.remove, "1.24"),
    # Networks
    Route("GET", "/networks", networks.list_all, "1.24"),
    Route("GET", "/networks/{id}", networks.inspect, "1.24"),
    Route("DELETE", "/networks/{id}", networks.remove, "1.24"),
    Route("POST", "/networks/create", networks.create, "1.24"),
    Route("POST", "/networks/prune", networks.prune, "1.25"),
    Route("POST", "/networks/{id}/connect", networks.connect, "1.24"),
    Route("POST", "/networks/{id}/disconnect", networks.disconnect, "1.24"),
    # Volumes
    Route("GET", "/volumes", volumes.list_all, "1.24"),
    Route("POST", "/volumes/create", volumes.create, "1.24"),
    Route("POST", "/volumes/prune", volumes.prune, "1.25"),
    Route("GET", "/volumes/{name}", volumes.inspect, "1.24"),
    Route("PUT", "/volumes/{name}", volumes.update, "1.42"),
    Route("GET", "/volumes/{name}/export", volumes.export, "1.24"),
    Route("POST", "/volumes/{name}/import", volumes.fill, "1.24"),
    Route("POST", "/volumes/{name}/clone", volumes.clone, "1.24"),
    Route("DELETE", "/volumes/{name}", volumes.remove, "1.24"),
    # Secrets
    Route("GET", "/secrets", secrets.list_all, "1.25"),
    Route("POST", "/secrets/create", secrets.create, "1.25"),
    Route("GET", "/secrets/{id}", secrets.inspect, "1.25"),
    Route("POST", "/secrets/{id}/update", secrets.update, "1.26"),
    Route("DELETE", "/secrets/{id}", secrets.remove, "1.25"),
    # What this engine does not do
    Route("GET", "/plugins", system.plugins, "1.25"),
    Route("GET", "/plugins/privileges", system.no_plugins, "1.25"),
    Route("POST", "/plugins/pull", system.no_plugins, "1.25"),
    Route("POST", "/plugins/create", system.no_plugins, "1.25"),
    Route("GET", "/plugins/{name}/json", system.plugin, "1.25"),
    Route("DELETE", "/plugins/{name}", system.plugin, "1.25"),
    Route("POST", "/plugins/{name}/enable", system.plugin, "1.25"),
    Route("POST", "/plugins/{name}/disable", system.plugin, "1.25"),
    Route("POST", "/plugins/{name}/upgrade", system.plugin, "1.26"),
    Route("POST", "/plugins/{name}/push", system.plugin, "1.25"),
    Route("POST", "/plugins/{name}/set", system.plugin, "1.25"),
    Route("POST", "/build", system.no_build, "1.24"),
    Route("POST", "/build/prune", system.prune_build_cache, "1.31"),
    Route("POST", "/session", system.no_build, "1.31"),
    Route("POST", "/grpc", system.no_build, "1.38"),
    Route("GET", "/swarm", system.not_a_manager, "1.24"),
    Route("POST", "/swarm/init", system.not_a_manager, "1.24"),
    Route("POST", "/swarm/join", system.not_a_manager, "1.24"),
    Route("POST", "/swarm/leave", system.not_a_manager, "1.24"),
    Route("POST", "/swarm/update", system.not_a_manager, "1.24"),
    Route("GET", "/swarm/unlockkey", system.not_a_manager, "1.24"),
    Route("POST", "/swarm/unlock", system.not_a_manager, "1.24"),
    *(
        Route(method, f"/{noun}{path}", system.not_a_manager, "1.24")
        for noun in ("nodes", "services", "tasks", "configs")
        for method, path in (
            ("GET", ""), ("POST", "/create"), ("GET", "/{id}"), ("DELETE", "/{id}"),
            ("POST", "/{id}/update"), ("GET", "/{id}/logs"),
        )
    ),
)  # fmt: skip
