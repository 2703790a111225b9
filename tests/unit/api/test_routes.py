"""The table of routes against a literal list of Docker's endpoints (API 1.55)."""

from wherry.api.openapi import describe
from wherry.api.parameters import PARAMETERS
from wherry.api.routes import ROUTES

DOCKERS = """
GET    /_ping 1.24
HEAD   /_ping 1.24
GET    /info 1.24
GET    /version 1.24
GET    /events 1.24
GET    /system/df 1.25
POST   /auth 1.24
GET    /containers/json 1.24
POST   /containers/create 1.24
GET    /containers/{id}/json 1.24
GET    /containers/{id}/top 1.24
GET    /containers/{id}/logs 1.24
GET    /containers/{id}/changes 1.24
GET    /containers/{id}/export 1.24
GET    /containers/{id}/stats 1.24
POST   /containers/{id}/resize 1.24
POST   /containers/{id}/start 1.24
POST   /containers/{id}/stop 1.24
POST   /containers/{id}/restart 1.24
POST   /containers/{id}/kill 1.24
POST   /containers/{id}/update 1.24
POST   /containers/{id}/rename 1.24
POST   /containers/{id}/pause 1.24
POST   /containers/{id}/unpause 1.24
POST   /containers/{id}/attach 1.24
GET    /containers/{id}/attach/ws 1.24
POST   /containers/{id}/wait 1.24
DELETE /containers/{id} 1.24
HEAD   /containers/{id}/archive 1.24
GET    /containers/{id}/archive 1.24
PUT    /containers/{id}/archive 1.24
POST   /containers/prune 1.25
POST   /containers/{id}/exec 1.24
POST   /exec/{id}/start 1.24
POST   /exec/{id}/resize 1.24
GET    /exec/{id}/json 1.24
GET    /images/json 1.24
POST   /build 1.24
POST   /build/prune 1.31
POST   /images/create 1.24
GET    /images/{name}/json 1.24
GET    /images/{name}/attestations 1.55
GET    /images/{name}/history 1.24
POST   /images/{name}/push 1.24
POST   /images/{name}/tag 1.24
DELETE /images/{name} 1.24
GET    /images/search 1.24
POST   /images/prune 1.25
POST   /commit 1.24
GET    /images/{name}/get 1.24
GET    /images/get 1.24
POST   /images/load 1.24
GET    /volumes 1.24
POST   /volumes/create 1.24
GET    /volumes/{name} 1.24
PUT    /volumes/{name} 1.42
DELETE /volumes/{name} 1.24
POST   /volumes/prune 1.25
GET    /networks 1.24
GET    /networks/{id} 1.24
DELETE /networks/{id} 1.24
POST   /networks/create 1.24
POST   /networks/{id}/connect 1.24
POST   /networks/{id}/disconnect 1.24
POST   /networks/prune 1.25
GET    /plugins 1.25
GET    /plugins/privileges 1.25
POST   /plugins/pull 1.25
GET    /plugins/{name}/json 1.25
DELETE /plugins/{name} 1.25
POST   /plugins/{name}/enable 1.25
POST   /plugins/{name}/disable 1.25
POST   /plugins/{name}/upgrade 1.26
POST   /plugins/create 1.25
POST   /plugins/{name}/push 1.25
POST   /plugins/{name}/set 1.25
GET    /nodes 1.24
GET    /nodes/{id} 1.24
DELETE /nodes/{id} 1.24
POST   /nodes/{id}/update 1.24
GET    /swarm 1.24
POST   /swarm/init 1.24
POST   /swarm/join 1.24
POST   /swarm/leave 1.24
POST   /swarm/update 1.24
GET    /swarm/unlockkey 1.24
POST   /swarm/unlock 1.24
GET    /services 1.24
POST   /services/create 1.24
GET    /services/{id} 1.24
DELETE /services/{id} 1.24
POST   /services/{id}/update 1.24
GET    /services/{id}/logs 1.24
GET    /tasks 1.24
GET    /tasks/{id} 1.24
GET    /tasks/{id}/logs 1.24
GET    /secrets 1.25
POST   /secrets/create 1.25
GET    /secrets/{id} 1.25
DELETE /secrets/{id} 1.25
POST   /secrets/{id}/update 1.25
GET    /configs 1.30
POST   /configs/create 1.30
GET    /configs/{id} 1.30
DELETE /configs/{id} 1.30
POST   /configs/{id}/update 1.30
GET    /distribution/{name}/json 1.30
POST   /session 1.31
POST   /grpc 1.38
"""

OWN = {
    ("GET", "/openapi.json"): "the description of this API, which no dockerd serves",
    ("DELETE", "/containers/{id}/{alias}"): "Docker has it too: there a name may hold slashes",
    ("POST", "/containers/{id}/mounts"): "a mount for a container that is there already",
    ("POST", "/containers/{id}/ports"): "published ports of a container that is there already",
    ("GET", "/volumes/{name}/export"): "a volume as an archive",
    ("POST", "/volumes/{name}/import"): "a volume from an archive",
    ("POST", "/volumes/{name}/clone"): "a copy of a volume",
}
"""Endpoints that Docker does not have, with the reason for each."""


def _listed() -> dict[tuple[str, str], str]:
    rows = [line.split() for line in DOCKERS.strip().splitlines()]
    return {(method, path): since for method, path, since in rows}


def test_every_endpoint_of_docker_is_in_the_table_with_the_version_that_brought_it() -> None:
    ours = {(route.method, route.path): route.since for route in ROUTES}
    missing = {key: since for key, since in _listed().items() if ours.get(key) != since}
    assert missing == {}


def test_what_docker_does_not_have_is_listed_with_its_reason() -> None:
    ours = {(route.method, route.path) for route in ROUTES}
    assert ours - set(_listed()) == set(OWN)


def test_no_endpoint_is_there_twice() -> None:
    pairs = [(route.method, route.path) for route in ROUTES]
    assert len(pairs) == len(set(pairs))


def test_every_line_of_the_parameters_belongs_to_a_route() -> None:
    assert set(PARAMETERS) - {f"{route.method} {route.path}" for route in ROUTES} == set()


def test_the_description_has_every_route_and_the_shapes_of_the_bodies() -> None:
    made = describe(ROUTES)
    described = {(method.upper(), path) for path in made["paths"] for method in made["paths"][path]}
    assert described == {(route.method, route.path) for route in ROUTES}
    create = made["paths"]["/containers/create"]["post"]
    assert [item["name"] for item in create["parameters"]] == ["name", "platform"]
    names = made["components"]["schemas"]["CreateRequest"]["properties"]
    assert {"Image", "HostConfig", "NetworkingConfig"} <= names.keys()
