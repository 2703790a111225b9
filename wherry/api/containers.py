"""/containers: translation between HTTP and the life of containers."""

import msgspec
from aiohttp import web

from wherry.api.container_views import inspect_view, summary_view
from wherry.api.create_compat import create_request, update_request
from wherry.api.request import ApiRequest, json_response, stream_response
from wherry.api.services import Services
from wherry.engine.containers.index import NoSuchContainer
from wherry.engine.containers.wait import Waiting
from wherry.model.docker.container import CreateRequest, MountChanges, PortChanges, UpdateRequest
from wherry.model.docker.container_summary import UpdateResponse

_WITH_PLATFORM = (1, 41)


def _wait_body(code: int, error: str) -> bytes:
    fields: dict[str, object] = {"StatusCode": code}
    if error:
        fields["Error"] = {"Message": error}
    return msgspec.json.encode(fields) + b"\n"


async def create(request: ApiRequest, services: Services) -> web.StreamResponse:
    """POST /containers/create."""
    body = await request.json(CreateRequest, required=True)
    asked = create_request(body, request.version)
    platform = request.query("platform") if request.version >= _WITH_PLATFORM else ""
    made = await services.containers.create(asked.body, request.query("name"), platform)
    warnings = [*made.warnings, *asked.warnings]
    return json_response(msgspec.structs.replace(made, warnings=warnings), 201)


async def start(request: ApiRequest, services: Services) -> web.StreamResponse:
    """POST /containers/{id}/start."""
    container = services.containers.index.get(request.path("id"))
    await services.containers.start(container)
    return web.Response(status=204)


async def stop(request: ApiRequest, services: Services) -> web.StreamResponse:
    """POST /containers/{id}/stop."""
    container = services.containers.index.get(request.path("id"))
    await services.containers.signals.stop(container, request.query("signal"), request.integer("t"))
    return web.Response(status=204)


async def restart(request: ApiRequest, services: Services) -> web.StreamResponse:
    """POST /containers/{id}/restart."""
    container = services.containers.index.get(request.path("id"))
    await services.containers.signals.restart(
        container, request.query("signal"), request.integer("t")
    )
    return web.Response(status=204)


async def kill(request: ApiRequest, services: Services) -> web.StreamResponse:
    """POST /containers/{id}/kill."""
    container = services.containers.index.get(request.path("id"))
    await services.containers.signals.kill(container, request.query("signal"))
    return web.Response(status=204)


async def pause(request: ApiRequest, services: Services) -> web.StreamResponse:
    """POST /containers/{id}/pause."""
    await services.containers.signals.pause(services.containers.index.get(request.path("id")))
    return web.Response(status=204)


async def unpause(request: ApiRequest, services: Services) -> web.StreamResponse:
    """POST /containers/{id}/unpause."""
    await services.containers.signals.unpause(services.containers.index.get(request.path("id")))
    return web.Response(status=204)


async def rename(request: ApiRequest, services: Services) -> web.StreamResponse:
    """POST /containers/{id}/rename."""
    container = services.containers.index.get(request.path("id"))
    await services.containers.rename(container, request.query("name"))
    return web.Response(status=204)


async def remove(request: ApiRequest, services: Services) -> web.StreamResponse:
    """DELETE /containers/{id}."""
    if request.flag("link"):
        return await unlink(request, services)
    container = services.containers.index.get(request.path("id"))
    await services.containers.remove(
        container, force=request.flag("force"), volumes=request.flag("v")
    )
    return web.Response(status=204)


async def unlink(request: ApiRequest, services: Services) -> web.StreamResponse:
    """DELETE /containers/{id}/{alias}: a link by the name of its container and its alias."""
    names = [request.path("id"), *filter(None, (request.path("alias", ""),))]
    if not request.flag("link"):
        raise NoSuchContainer("/".join(names))
    await services.containers.unlink("/".join(names))
    return web.Response(status=204)


async def wait(request: ApiRequest, services: Services) -> web.StreamResponse:
    """POST /containers/{id}/wait: the head at once, the body at the end."""
    container = services.containers.index.get(request.path("id"))
    waiting = Waiting(container, request.query("condition") or "not-running")
    response = stream_response(request.raw, "application/json")
    try:
        await response.prepare(request.raw)
        code, error = await request.unless_gone(waiting.result())
        await response.write(_wait_body(code, error))
        await response.write_eof()
    except ConnectionError:
        return response  # the client waits no longer
    return response


async def list_all(request: ApiRequest, services: Services) -> web.StreamResponse:
    """GET /containers/json."""
    found = await services.containers.list(
        request.filters(), everything=request.flag("all"), limit=request.integer("limit") or 0,
        size=request.flag("size"),
    )  # fmt: skip
    return json_response([summary_view(item, request.version) for item in found])


async def inspect(request: ApiRequest, services: Services) -> web.StreamResponse:
    """GET /containers/{id}/json."""
    found = await services.containers.inspect(request.path("id"), size=request.flag("size"))
    return json_response(inspect_view(found, request.version))


async def change_mounts(request: ApiRequest, services: Services) -> web.StreamResponse:
    """POST /containers/{id}/mounts: adds and removes mounts, of running containers too."""
    container = services.containers.index.get(request.path("id"))
    changes = await request.json(MountChanges, required=True)
    await services.containers.change_mounts(container, changes.add or (), changes.remove or ())
    return web.Response(status=204)


async def change_ports(request: ApiRequest, services: Services) -> web.StreamResponse:
    """POST /containers/{id}/ports: publishes more ports, and others no longer."""
    container = services.containers.index.get(request.path("id"))
    changes = await request.json(PortChanges, required=True)
    await services.containers.change_ports(container, changes.add or {}, changes.remove or ())
    return web.Response(status=204)


async def update(request: ApiRequest, services: Services) -> web.StreamResponse:
    """POST /containers/{id}/update."""
    container = services.containers.index.get(request.path("id"))
    body = update_request(await request.json(UpdateRequest), request.version)
    warnings = await services.containers.update(container, body)
    return json_response(UpdateResponse(warnings or None))


async def prune(request: ApiRequest, services: Services) -> web.StreamResponse:
    """POST /containers/prune."""
    return json_response(await services.containers.prune(request.filters()))
