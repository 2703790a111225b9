"""What each endpoint takes: its parameters and the shape of its body. One literal table.

A parameter is `name` for text, `name:bool`, `name:int`, `name:filters` (JSON), and `name*` if it
may be repeated. The body is a type, `TAR` for an archive, or nothing.
"""

from typing import NamedTuple

from wherry.model.docker.container import ContainerConfig, CreateRequest, UpdateRequest
from wherry.model.docker.exec import ExecCreateRequest, ExecStartRequest
from wherry.model.docker.network import (
    NetworkConnectRequest,
    NetworkCreateRequest,
    NetworkDisconnectRequest,
)
from wherry.model.docker.secret import SecretSpec
from wherry.model.docker.volume import VolumeCreateRequest

TAR = "application/x-tar"

_STREAMS = "detachKeys logs:bool stream:bool stdin:bool stdout:bool stderr:bool"
_SERVICE_LOGS = "details:bool follow:bool stdout:bool stderr:bool since timestamps:bool tail"


class Takes(NamedTuple):
    """The parameters of an endpoint and its body."""

    query: str = ""
    body: type | str | None = None


PARAMETERS: dict[str, Takes] = {
    "GET /events": Takes("since until filters:filters"),
    "GET /system/df": Takes("type* verbose:bool"),
    "GET /containers/json": Takes("all:bool limit:int size:bool filters:filters"),
    "POST /containers/create": Takes("name platform", CreateRequest),
    "GET /containers/{id}/json": Takes("size:bool"),
    "GET /containers/{id}/top": Takes("ps_args"),
    "GET /containers/{id}/logs": Takes(
        "follow:bool stdout:bool stderr:bool since until timestamps:bool tail details:bool"
    ),
    "GET /containers/{id}/stats": Takes("stream:bool one-shot:bool"),
    "POST /containers/{id}/resize": Takes("h:int w:int"),
    "POST /containers/{id}/start": Takes("detachKeys"),
    "POST /containers/{id}/stop": Takes("signal t:int"),
    "POST /containers/{id}/restart": Takes("signal t:int"),
    "POST /containers/{id}/kill": Takes("signal"),
    "POST /containers/{id}/update": Takes("", UpdateRequest),
    "POST /containers/{id}/rename": Takes("name"),
    "POST /containers/{id}/attach": Takes(_STREAMS),
    "GET /containers/{id}/attach/ws": Takes(_STREAMS),
    "POST /containers/{id}/wait": Takes("condition"),
    "DELETE /containers/{id}": Takes("v:bool force:bool link:bool"),
    "DELETE /containers/{id}/{alias}": Takes("link:bool"),
    "HEAD /containers/{id}/archive": Takes("path"),
    "GET /containers/{id}/archive": Takes("path"),
    "PUT /containers/{id}/archive": Takes("path noOverwriteDirNonDir copyUIDGID", TAR),
    "POST /containers/prune": Takes("filters:filters"),
    "GET /images/json": Takes(
        "all:bool filters:filters shared-size:bool digests:bool manifests:bool identity:bool"
    ),
    "POST /images/create": Takes(
        "fromImage fromSrc repo tag message changes* platform", TAR
    ),
    "GET /images/{name}/json": Takes("manifests:bool platform"),
    "GET /images/{name}/attestations": Takes("platform type* statement:bool"),
    "GET /images/{name}/history": Takes("platform"),
    "POST /images/{name}/push": Takes("tag platform"),
    "POST /images/{name}/tag": Takes("repo tag"),
    "DELETE /images/{name}": Takes("force:bool noprune:bool platforms*"),
    "GET /images/search": Takes("term limit:int filters:filters"),
    "POST /images/prune": Takes("filters:filters"),
    "POST /commit": Takes(
        "container repo tag comment author pause:bool changes*", ContainerConfig
    ),
    "GET /images/{name}/get": Takes("platform*"),
    "GET /images/get": Takes("names* platform*"),
    "POST /images/load": Takes("quiet:bool platform*", TAR),
    "POST /containers/{id}/exec": Takes("", ExecCreateRequest),
    "POST /exec/{id}/start": Takes("", ExecStartRequest),
    "POST /exec/{id}/resize": Takes("h:int w:int"),
    "GET /volumes": Takes("filters:filters"),
    "POST /volumes/create": Takes("", VolumeCreateRequest),
    "PUT /volumes/{name}": Takes("version:int"),
    "DELETE /volumes/{name}": Takes("force:bool"),
    "POST /volumes/prune": Takes("filters:filters"),
    "GET /networks": Takes("filters:filters"),
    "GET /networks/{id}": Takes("verbose:bool scope"),
    "POST /networks/create": Takes("", NetworkCreateRequest),
    "POST /networks/{id}/connect": Takes("", NetworkConnectRequest),
    "POST /networks/{id}/disconnect": Takes("", NetworkDisconnectRequest),
    "POST /networks/prune": Takes("filters:filters"),
    "POST /build": Takes(
        "dockerfile t* extrahosts remote q:bool nocache:bool cachefrom pull rm:bool forcerm:bool "
        "memory:int memswap:int cpushares:int cpusetcpus cpuperiod:int cpuquota:int buildargs "
        "shmsize:int squash:bool labels networkmode platform target outputs version", TAR,
    ),
    "POST /build/prune": Takes(
        "reserved-space:int max-used-space:int min-free-space:int all:bool filters:filters"
    ),
    "GET /plugins": Takes("filters:filters"),
    "GET /plugins/privileges": Takes("remote"),
    "POST /plugins/pull": Takes("remote name"),
    "DELETE /plugins/{name}": Takes("force:bool"),
    "POST /plugins/{name}/enable": Takes("timeout:int"),
    "POST /plugins/{name}/disable": Takes("force:bool"),
    "POST /plugins/{name}/upgrade": Takes("remote"),
    "POST /plugins/create": Takes("name", TAR),
    "GET /nodes": Takes("filters:filters"),
    "DELETE /nodes/{id}": Takes("force:bool"),
    "POST /nodes/{id}/update": Takes("version:int"),
    "POST /swarm/leave": Takes("force:bool"),
    "POST /swarm/update": Takes(
        "version:int rotateWorkerToken:bool rotateManagerToken:bool rotateManagerUnlockKey:bool"
    ),
    "GET /services": Takes("filters:filters status:bool"),
    "GET /services/{id}": Takes("insertDefaults:bool"),
    "POST /services/{id}/update": Takes("version:int registryAuthFrom rollback"),
    "GET /services/{id}/logs": Takes(_SERVICE_LOGS),
    "GET /tasks": Takes("filters:filters"),
    "GET /tasks/{id}/logs": Takes(_SERVICE_LOGS),
    "GET /secrets": Takes("filters:filters"),
    "POST /secrets/create": Takes("", SecretSpec),
    "POST /secrets/{id}/update": Takes("version:int", SecretSpec),
    "GET /configs": Takes("filters:filters"),
    "POST /configs/{id}/update": Takes("version:int"),
}  # fmt: skip
