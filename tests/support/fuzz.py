"""Requests drawn from the description of the API, mostly about objects that exist."""

import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from hypothesis import strategies as st

_ODD = st.one_of(
    st.text(max_size=12), st.sampled_from(["", "..", "a/b", "%00", "\x00", "é", "a" * 300, "-1"])
)
_LIKELY: dict[str, list[str]] = {
    "signal": ["TERM", "SIGKILL", "9", "SIGRTMIN+3", "0", "nope", "99"],
    "path": ["/", "/etc", "/etc/passwd", "/nowhere", "etc", "../..", "/tmp/a/b"],
    "condition": ["not-running", "next-exit", "removed", "never"],
    "since": ["0", "10m", "1", "2026-01-01", "x"], "until": ["0", "1", "1s", "1700000000.5", "x"],
    "tail": ["all", "0", "3", "-1", "x", "99999999999999999999"],
    "ps_args": ["aux", "-ef", "--nope", "-o pid", "; ls"], "type": ["container", "image", "x"],
    "repo": ["fuzzed", "a/b", "UPPER", "127.0.0.1:1/x"], "tag": ["1", "latest", "a b"],
    "fromImage": ["busybox", "127.0.0.1:1/none", "UPPER"], "fromSrc": ["-", "x"],
    "platform": ["linux/amd64", '{"os":"linux","architecture":"amd64"}', "x/y/z/w", "{"],
    "platforms": ['{"os":"linux","architecture":"amd64"}', "{"], "scope": ["local", "swarm"],
    "changes": ["CMD sh", "NOPE x", 'ENV A="b'], "detachKeys": ["ctrl-p,ctrl-q", "ctrl-", "a"],
    "tty": ["1"],
}  # fmt: skip
_NUMBERS = st.one_of(
    st.sampled_from([0, 1, -1, 2, 80, 1 << 31, 1 << 40, -(1 << 63), (1 << 63) - 1, 1 << 70]),
    st.integers(-100, 100_000),
)
_FILTER_KEYS = ["label", "label!", "name", "id", "status", "until", "dangling", "driver", "scope",
                "ancestor", "before", "since", "type", "event", "publish", "exited", "reference",
                "container", "image", "health", "volume", "network", "nope"]  # fmt: skip
_FILTER_VALUES = ["a", "true", "false", "running", "bridge", "80", "10m", "fz", "(", "x=y", ""]
# What a started container may do to the machine is chosen, not drawn.
_FIXED: dict[str, list[Any]] = {
    "Image": ["busybox", "busybox", "busybox", "nope", ""],
    "Cmd": [["sleep", "60"], ["true"], ["nope"], []],
    "Entrypoint": [None, [], ["sh", "-c", "true"]],
    "Binds": [None, ["/tmp:/t:ro"], ["fz-vol:/v"], ["relative:/x:zz"], ["/nowhere/a:/b"], ["x"]],
    "NetworkMode": ["", "default", "bridge", "none", "fz-net", "container:fz-run", "nope"],
    "PidMode": ["", "container:fz-run", "nope"], "IpcMode": ["", "private", "none", "nope"],
    "UTSMode": ["", "nope"], "UsernsMode": ["", "nope"], "CgroupParent": ["", "../x"],
    "CgroupnsMode": ["", "private", "nope"], "Privileged": [False], "Cgroup": ["", "x"],
    "VolumesFrom": [None, ["fz-run"], ["nope"], ["fz-run:zz"]], "Runtime": ["", "runc", "nope"],
    "Devices": [None, [{"PathOnHost": "/dev/null", "PathInContainer": "/dev/x"}], [{}]],
    "Source": ["/tmp", "fz-vol", "", "nope"], "Type": ["bind", "volume", "tmpfs", "image", "x", ""],
    "Target": ["/m", "m", "", "/"], "Container": ["fz-run", "fz-old", "nope", ""],
    "Driver": ["bridge", "local", "nope", ""], "RestartPolicy": [{"Name": "no"}, {"Name": "x"}, {}],
    "SecurityOpt": [None, ["no-new-privileges"], ["seccomp={"], ["nope"]], "Ingress": [False],
    "DriverOpts": [None, {}, {"type": "tmpfs", "device": "tmpfs", "o": "size=1m"}, {"nope": "1"}],
    "CapAdd": [None, ["CAP_NET_ADMIN"], ["nope"]], "CapDrop": [None, ["ALL"], ["nope"]],
    "LogConfig": [{"Type": "json-file"}, {"Type": "none"}, {"Type": "nope"}, {}],
    "Sysctls": [None, {"net.ipv4.ip_forward": "1"}, {"nope": "1"}], "Name": ["", "fz-new", "a b"],
    "ConfigOnly": [False], "AutoRemove": [False, True], "Detach": [True],
}  # fmt: skip


@dataclass(frozen=True)
class Request:
    """One request; `live` says that it names an object which the fuzz keeps there."""

    method: str
    path: str
    target: str
    body: bytes | None
    kind: str
    live: bool

    def __repr__(self) -> str:
        return f"{self.method} {self.target} {self.kind} {self.body!r}"


def requests(description: dict[str, Any], live: dict[str, list[str]]) -> st.SearchStrategy[Request]:
    """All operations of a description; `live` lists names of objects by the path's first word."""
    schemas = description["components"]["schemas"]
    operations = [
        (method.upper(), path, operation)
        for path, methods in description["paths"].items() for method, operation in methods.items()
        if path not in ("/openapi.json",)
    ]  # fmt: skip
    ours = [item for item in operations if item[1].split("/")[1] in live]

    @st.composite
    def draw_request(draw: st.DrawFn) -> Request:
        method, path, operation = draw(
            st.sampled_from(ours if draw(st.integers(0, 9)) else operations)
        )
        noun = path.split("/")[1]
        named = "{" in path and bool(live.get(noun)) and draw(st.integers(0, 9)) > 0
        name = draw(st.sampled_from(live[noun])) if named else draw(_ODD) or "nope"
        query = []
        for parameter in operation["parameters"]:
            if parameter["in"] == "query" and draw(st.booleans()):
                query.append((parameter["name"], draw(_parameter(parameter))))
        version = draw(
            st.sampled_from(["", "/v1.24", "/v1.41", "/v1.44", "/v1.51", "/v1.55", "/v9.9"])
        )
        target = version + re.sub(r"\{\w+\}", lambda _: quote(name, safe=""), path)
        if query:
            target += "?" + urlencode(query)
        body, kind = draw(_body(operation, schemas))
        return Request(method, path, target, body, kind, named or "{" not in path)

    return draw_request()


def _parameter(parameter: dict[str, Any]) -> st.SearchStrategy[str]:
    schema, name = parameter["schema"], parameter["name"]
    if name == "filters":
        return st.one_of(_filters(), _ODD)
    if schema["type"] == "boolean":
        return st.sampled_from(["1", "0", "true", "False", "", "x"])
    if schema["type"] == "integer":
        return st.one_of(_NUMBERS.map(str), st.sampled_from(["", "x", "1.5"]))
    if name in _LIKELY:
        return st.one_of(st.sampled_from(_LIKELY[name]), st.sampled_from(_LIKELY[name]), _ODD)
    return _ODD


def _filters() -> st.SearchStrategy[str]:
    values = st.one_of(
        st.lists(st.sampled_from(_FILTER_VALUES), max_size=2),
        st.dictionaries(st.sampled_from(_FILTER_VALUES), st.booleans(), max_size=2),
        st.just(5),
    )
    return st.dictionaries(st.sampled_from(_FILTER_KEYS), values, max_size=2).map(json.dumps)


@st.composite
def _body(
    draw: st.DrawFn, operation: dict[str, Any], schemas: dict[str, Any]
) -> tuple[bytes | None, str]:
    content = operation.get("requestBody", {}).get("content", {})
    if "application/json" not in content:
        data = draw(st.sampled_from([None, b"", b"no archive", b"\0" * 1024])) if content else None
        return data, next(iter(content), "")
    if not draw(st.integers(0, 15)):
        broken = st.sampled_from([b"", b"{", b"[]", b"null", b'{"a":1}{', b"\xff", b'"x"', b"5"])
        kinds = st.sampled_from(["application/json", "text/plain", ""])
        return draw(broken), draw(kinds)
    value = draw(_value(content["application/json"]["schema"], schemas, 0))
    return json.dumps(value).encode(), "application/json"


@st.composite
def _value(
    draw: st.DrawFn, schema: dict[str, Any], schemas: dict[str, Any], depth: int, name: str = ""
) -> Any:
    """A value of a schema; one time in thirty, of another kind."""
    if not draw(st.integers(0, 29)) and depth:
        return draw(st.sampled_from([None, 5, "x", [], {}, True, 1.5, [{}], -1]))
    if name in _FIXED:
        return draw(st.sampled_from(_FIXED[name]))
    if "anyOf" in schema:
        return draw(_value(draw(st.sampled_from(schema["anyOf"])), schemas, depth, name))
    if "$ref" in schema:
        schema = schemas[schema["$ref"].rpartition("/")[2]]
    kind = schema.get("type")
    if kind == "object" and "properties" in schema:
        return draw(_struct(schema, schemas, depth))
    if kind == "object":
        item = schema.get("additionalProperties")
        values = _value(item, schemas, depth + 1) if isinstance(item, dict) else st.just({})
        keys = st.sampled_from(["a", "80/tcp", "/x", "bridge", "é"])
        return draw(st.dictionaries(keys, values, max_size=2))
    if kind == "array":
        items = schema.get("items") or (schema.get("prefixItems") or [{}])[0]
        return draw(st.lists(_value(items or {}, schemas, depth + 1), max_size=2))
    if kind == "integer":
        return draw(_NUMBERS)
    if kind == "boolean":
        return draw(st.booleans())
    return draw(_ODD) if kind == "string" else None


@st.composite
def _struct(draw: st.DrawFn, schema: dict[str, Any], schemas: dict[str, Any], depth: int) -> Any:
    properties = schema["properties"]
    few = st.lists(st.sampled_from(sorted(properties)), unique=True, max_size=3 if depth else 4)
    chosen = set(draw(few)) | ({"Image", "Cmd"} & properties.keys() if not depth else set())
    return {key: draw(_value(properties[key], schemas, depth + 1, key)) for key in sorted(chosen)}
