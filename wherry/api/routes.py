"""Every endpoint of the API: one row each, tried in this order."""

from aiohttp import web

from wherry.api import (
    builds,
    containers,
    networks,
    ping,
    plugins,
    secrets,
    swarm,
    system,
    volumes,
)
from wherry.api.app import Route
from wherry.api.images import change, registry, show, transfer
from wherry.api.not_offered import not_offered
from wherry.api.openapi import describe
from wherry.api.request import ApiRequest, json_response
from wherry.api.services import Services
from wherry.api.streams import archive, attach, execs, logs, resize, stats, top


async def description(request: ApiRequest, services: Services) -> web.StreamResponse:
    """GET /openapi.json: what this table says, for machines."""
    return json_response(describe(ROUTES))


ROUTES: tuple[Route, ...] = (
    Route("GET", "/_ping", ping.ping, "1.24"),
    Route("HEAD", "/_ping", ping.ping, "1.24"),
    Route("GET", "/openapi.json", description, "1.24"),
    # The engine
    Route("GET", "/info", system.info, "1.24"),
    Route("GET", "/version", system.version, "1.24"),
    Route("GET", "/events", system.events, "1.24"),
    Route("GET", "/system/df", system.disk_usage, "1.25"),
    # Containers
    Route("GET", "/containers/json", containers.list_all, "1.24"),
    Route("GET", "/containers/{id}/json", containers.inspect, "1.24"),
    Route("POST", "/containers/prune", containers.prune, "1.25"),
    Route("POST", "/containers/{id}/mounts", containers.change_mounts, "1.24"),
    Route("POST", "/containers/{id}/ports", containers.change_ports, "1.24"),
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
    Route("DELETE", "/containers/{id}/{alias}", containers.unlink, "1.24"),
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
    Route("GET", "/images/json", show.list_all, "1.24"),
    Route("POST", "/images/create", transfer.create, "1.24"),
    Route("POST", "/images/load", transfer.load, "1.24"),
    Route("POST", "/images/prune", change.prune, "1.25"),
    Route("GET", "/images/search", registry.search, "1.24"),
    Route("GET", "/images/get", transfer.save, "1.24"),
    Route("GET", "/images/{name}/get", transfer.save, "1.24"),
    Route("POST", "/images/{name}/push", transfer.push, "1.24"),
    Route("POST", "/commit", change.commit, "1.24"),
    Route("GET", "/images/{name}/json", show.inspect, "1.24"),
    Route("GET", "/images/{name}/history", show.history, "1.24"),
    Route("POST", "/images/{name}/tag", change.tag, "1.24"),
    Route("DELETE", "/images/{name}", change.remove, "1.24"),
    Route("GET", "/images/{name}/attestations", not_offered, "1.55"),
    Route("GET", "/distribution/{name}/json", registry.distribution, "1.30"),
    Route("POST", "/auth", registry.auth, "1.24"),
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
    Route("POST", "/secrets/{id}/update", secrets.update, "1.25"),
    Route("DELETE", "/secrets/{id}", secrets.remove, "1.25"),
    # What this engine does not do
    Route("GET", "/plugins", plugins.list_all, "1.25"),
    Route("GET", "/plugins/privileges", plugins.unsupported, "1.25"),
    Route("POST", "/plugins/pull", plugins.unsupported, "1.25"),
    Route("POST", "/plugins/create", plugins.unsupported, "1.25"),
    Route("GET", "/plugins/{name}/json", plugins.missing, "1.25"),
    Route("DELETE", "/plugins/{name}", plugins.missing, "1.25"),
    Route("POST", "/plugins/{name}/enable", plugins.missing, "1.25"),
    Route("POST", "/plugins/{name}/disable", plugins.missing, "1.25"),
    Route("POST", "/plugins/{name}/upgrade", plugins.missing, "1.26"),
    Route("POST", "/plugins/{name}/push", plugins.missing, "1.25"),
    Route("POST", "/plugins/{name}/set", plugins.missing, "1.25"),
    Route("POST", "/build", builds.unsupported, "1.24"),
    Route("POST", "/build/prune", builds.prune, "1.31"),
    Route("POST", "/session", builds.unsupported, "1.31"),
    Route("POST", "/grpc", builds.unsupported, "1.38"),
    Route("GET", "/swarm", swarm.not_a_manager, "1.24"),
    Route("POST", "/swarm/init", swarm.no_swarm, "1.24"),
    Route("POST", "/swarm/join", swarm.no_swarm, "1.24"),
    Route("POST", "/swarm/leave", swarm.leave, "1.24"),
    Route("POST", "/swarm/update", swarm.not_a_manager, "1.24"),
    Route("GET", "/swarm/unlockkey", swarm.not_a_manager, "1.24"),
    Route("POST", "/swarm/unlock", swarm.not_a_manager, "1.24"),
    Route("GET", "/nodes", swarm.not_a_manager, "1.24"),
    Route("GET", "/nodes/{id}", swarm.not_a_manager, "1.24"),
    Route("DELETE", "/nodes/{id}", swarm.not_a_manager, "1.24"),
    Route("POST", "/nodes/{id}/update", swarm.not_a_manager, "1.24"),
    Route("GET", "/services", swarm.not_a_manager, "1.24"),
    Route("POST", "/services/create", swarm.not_a_manager, "1.24"),
    Route("GET", "/services/{id}", swarm.not_a_manager, "1.24"),
    Route("DELETE", "/services/{id}", swarm.not_a_manager, "1.24"),
    Route("POST", "/services/{id}/update", swarm.not_a_manager, "1.24"),
    Route("GET", "/services/{id}/logs", swarm.not_a_manager, "1.24"),
    Route("GET", "/tasks", swarm.not_a_manager, "1.24"),
    Route("GET", "/tasks/{id}", swarm.not_a_manager, "1.24"),
    Route("GET", "/tasks/{id}/logs", swarm.not_a_manager, "1.24"),
    Route("GET", "/configs", swarm.not_a_manager, "1.30"),
    Route("POST", "/configs/create", swarm.not_a_manager, "1.30"),
    Route("GET", "/configs/{id}", swarm.not_a_manager, "1.30"),
    Route("DELETE", "/configs/{id}", swarm.not_a_manager, "1.30"),
    Route("POST", "/configs/{id}/update", swarm.not_a_manager, "1.30"),
)
