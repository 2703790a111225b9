"""The description of this API, made from the table of routes and the types of the bodies.

`GET /openapi.json` serves it (OpenAPI 3.1): for tools that generate clients or requests.
"""

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from wherry import __version__
from wherry.api.app import Route
from wherry.api.parameters import PARAMETERS, Takes
from wherry.api.version import API_VERSION, version_text

_SCHEMAS: dict[str, dict[str, Any]] = {
    "": {"type": "string"},
    "bool": {"type": "boolean"},
    "int": {"type": "integer"},
    "filters": {"type": "string", "contentMediaType": "application/json"},
}
_ERROR = {
    "type": "object", "required": ["message"], "properties": {"message": {"type": "string"}},
}  # fmt: skip


def describe(routes: Iterable[Route]) -> dict[str, Any]:
    """The description of some routes; paths are without a version."""
    routes = list(routes)
    bodies = list(dict.fromkeys(
        takes.body for takes in PARAMETERS.values() if isinstance(takes.body, type)
    ))  # fmt: skip
    _, components = msgspec.json.schema_components(
        bodies, ref_template="#/components/schemas/{name}"
    )
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        takes = PARAMETERS.get(f"{route.method} {route.path}", Takes())
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, takes)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Wherry: Docker's Engine API", "version": version_text(API_VERSION),
                 "x-engine": __version__},
        "paths": paths,
        "components": {"schemas": {**components, "ErrorResponse": _ERROR}},
    }  # fmt: skip


def _operation(route: Route, takes: Takes) -> dict[str, Any]:
    doc = (route.handler.__doc__ or "").partition("\n")[0]
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"\{(\w+)\}", route.path)
    ]
    parameters += map(_parameter, takes.query.split())
    operation: dict[str, Any] = {
        "summary": doc,
        "x-since": route.since,
        "parameters": parameters,
        "responses": {
            "2XX": {"description": "done"},
            "default": {
                "description": "refused, or failed",
                "content": {"application/json": {
                    "schema": {"$ref": "#/components/schemas/ErrorResponse"}}},
            },
        },
    }  # fmt: skip
    if isinstance(takes.body, str):
        operation["requestBody"] = {"content": {takes.body: {}}}
    elif takes.body is not None:
        schema = {"$ref": f"#/components/schemas/{takes.body.__name__}"}
        operation["requestBody"] = {"content": {"application/json": {"schema": schema}}}
    return operation


def _parameter(text: str) -> dict[str, Any]:
    repeated = text.endswith("*")
    name, _, kind = text.removesuffix("*").partition(":")
    schema = _SCHEMAS[kind]
    if repeated:
        schema = {"type": "array", "items": schema}
    return {"name": name, "in": "query", "schema": schema}
