"""Values as Go's templates see them: structs and maps told apart, and how each is printed.

JSON has objects alone; which of them are maps in docker's own types is known by their names.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_MAPS = frozenset(
    (
        "Annotations",
        "Attributes",
        "AuxiliaryAddresses",
        "Containers",
        "Data",
        "DriverOpts",
        "Endpoints",
        "ExposedPorts",
        "Labels",
        "Networks",
        "Options",
        "PortBindings",
        "Ports",
        "StorageOpt",
        "Sysctls",
        "Tmpfs",
        "Volumes",
    )
)
_SLICES = frozenset(
    (
        "Aliases",
        "Args",
        "Bindings",
        "Binds",
        "CapAdd",
        "CapDrop",
        "Cmd",
        "Devices",
        "Dns",
        "DnsOptions",
        "DnsSearch",
        "Entrypoint",
        "Env",
        "ExecIDs",
        "ExtraHosts",
        "GroupAdd",
        "Links",
        "Mounts",
        "OnBuild",
        "RepoDigests",
        "RepoTags",
        "SecurityOpt",
        "Ulimits",
        "VolumesFrom",
    )
)
_ELEMENTS = {"PortBindings": "Bindings", "Ports": "Bindings"}
"""What the values of a map are, where they may be null."""

_OMITTED: dict[str, Any] = {
    "ArgsEscaped": False,
    "Author": "",
    "Comment": "",
    "Container": "",
    "DockerVersion": "",
    "Driver": "",
    "Health": None,
    "Healthcheck": None,
    "ImageManifestDescriptor": None,
    "Init": None,
    "MacAddress": "",
    "Name": "",
    "NetworkDisabled": False,
    "Runtime": "",
    "SizeRootFs": None,
    "SizeRw": None,
    "StopSignal": "",
    "StopTimeout": None,
    "Variant": "",
}
"""What fields are whose JSON is left out where they are empty."""

_MOUNT = ("Type", "Name", "Source", "Destination", "Driver", "Mode", "RW", "Propagation")
_GO_TYPES = {str: "string", bool: "bool", int: "int", float: "float64", list: "[]interface {}"}


class FunctionError(Exception):
    """Why a function cannot do its work; the template adds which and where."""


class GoStruct(dict[str, "Any"]):
    """An object with the fields of a type: one that is missing is an error."""

    type_name = ""
    shape: tuple[str, ...] = ()
    """All fields in order, where it is known that JSON leaves some out."""

    def missing(self, name: str) -> Any:
        """The value of a field that JSON left out; KeyError where there is no such field."""
        if name in _MAPS:
            return NilMap()
        if name in _SLICES or name == "Shell":
            return NilList()
        value = _OMITTED[name]
        return NilPointer() if value is None else value


class GoRaw(dict[str, "Any"]):
    """An object of which no type is known: a map whose missing keys are errors."""


def as_raw(value: Any) -> Any:
    """A decoded JSON value with all objects as maps, as docker tries them after its types."""
    if isinstance(value, dict):
        return GoRaw((key, as_raw(item)) for key, item in value.items())
    if isinstance(value, list):
        return [as_raw(item) for item in value]
    return value


class NilPointer:
    """A pointer to nothing: `<nil>` as text, null as JSON, and not true."""

    def __str__(self) -> str:
        return "<nil>"

    def __bool__(self) -> bool:
        return False

    def as_json(self) -> None:
        """Null."""


class NilList(list["Any"]):
    """A list that was null."""


class NilMap(dict[str, "Any"]):
    """A map that was null."""


def as_go(value: Any, name: str = "") -> Any:
    """A decoded JSON value, which was found under `name`, with structs and maps told apart."""
    if isinstance(value, dict):
        if name in _MAPS or (name == "Config" and not _looks_like_struct(value)):
            return {key: as_go(item, _ELEMENTS.get(name, "")) for key, item in value.items()}
        return GoStruct((key, as_go(item, key)) for key, item in value.items())
    if isinstance(value, list):
        items = [as_go(item) for item in value]
        if name == "Mounts":
            for item in items:
                if isinstance(item, GoStruct):
                    item.shape = _MOUNT
        return items
    if value is None:
        if name in _SLICES:
            return NilList()
        if name in _MAPS:
            return NilMap()
        if name:
            return NilPointer()
    return value


def _looks_like_struct(value: dict[str, Any]) -> bool:
    """Tells a container's Config from a log driver's, whose keys are lower case."""
    return any(key[:1].isupper() for key in value)


def typed(value: Any, type_name: str) -> GoStruct:
    """An object of a named type, for the message about a field that it lacks."""
    struct = GoStruct(as_go(value))
    struct.type_name = type_name
    return struct


def go_text(value: Any) -> str:
    """A value as Go's %v prints it."""
    if value is None:
        return "<no value>"
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, GoStruct):
        items = [value.get(name, "") for name in value.shape] or value.values()
        return f"{{{' '.join(_nested(item) for item in items)}}}"
    if isinstance(value, dict):
        pairs = (f"{key}:{_nested(value[key])}" for key in sorted(value))
        return f"map[{' '.join(pairs)}]"
    if isinstance(value, list | tuple):
        return f"[{' '.join(_nested(item) for item in value)}]"
    if isinstance(value, float):
        return f"{value:g}" if abs(value) < 1e21 else repr(value)
    return str(value)


def _nested(value: Any) -> str:
    return "<nil>" if value is None else go_text(value)


def go_type(value: Any) -> str:
    """The name of a value's type in messages."""
    return _GO_TYPES.get(type(value), "map[string]interface {}")


def _kind(value: Any) -> str:
    """What Go compares alike; empty for what it does not compare."""
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return kind.__name__
    return ""


def equal(first: Any, *others: Any) -> bool:
    """Whether the first value is one of the others; raises FunctionError for unlike kinds."""
    for other in others:
        kind, wanted = _kind(first), _kind(other)
        if kind != wanted and first is not None and other is not None:
            raise FunctionError("incompatible types for comparison")
        if not kind and first is not None and other is not None:
            raise FunctionError(f"non-comparable type {go_text(first)}: {go_type(first)}")
        if kind == wanted and first == other:
            return True
    return False


def less(left: Any, right: Any) -> bool:
    """Whether one number or text comes before another; raises FunctionError for others."""
    kinds = _kind(left), _kind(right)
    if "" in kinds:
        raise FunctionError("invalid type for comparison")
    if kinds[0] != kinds[1]:
        raise FunctionError("incompatible types for comparison")
    if kinds[0] == "bool":
        raise FunctionError("invalid type for comparison")
    return bool(left < right)


def truth(value: Any) -> bool:
    """Whether Go's templates take the value as true; a struct always is."""
    return bool(value) or isinstance(value, GoStruct)


def for_json(value: Any) -> Any:
    """The value with maps sorted by key, as Go writes them."""
    if isinstance(value, NilList | NilMap):
        return None
    if isinstance(value, GoStruct):
        return {key: for_json(item) for key, item in value.items()}
    if isinstance(value, dict):
        return {key: for_json(value[key]) for key in sorted(value)}
    if isinstance(value, list | tuple):
        return [for_json(item) for item in value]
    as_json = getattr(value, "as_json", None)
    return as_json() if as_json else value
