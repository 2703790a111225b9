"""JSON bodies read as Go's encoding/json reads them, so that a client of dockerd finds no seam.

Names match in any case, null leaves a field alone, unknown names are passed over, integers have 64
bits. What does not fit is refused in Go's words.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any, TypeVar

import msgspec
from msgspec import inspect

from wherry.base.errors import InvalidParameter

T = TypeVar("T")

_NULL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
"""As JSON writes it: no path, name or argument can hold one."""
_INT64 = range(-(1 << 63), 1 << 63)
_GO_NAMES = {
    inspect.StrType: "string", inspect.IntType: "int64", inspect.FloatType: "float64",
    inspect.BoolType: "bool",
}  # fmt: skip
_PYTHON_KINDS: dict[type, tuple[type, ...]] = {
    inspect.StrType: (str,), inspect.IntType: (int,), inspect.FloatType: (int, float),
    inspect.BoolType: (bool,),
}  # fmt: skip
_SEQUENCES = (inspect.ListType, inspect.VarTupleType, inspect.TupleType)


def decode(data: bytes, kind: type[T]) -> T:
    """A body as a value; raises InvalidParameter, in Go's words, for what is none."""
    if _NULL.search(data):
        raise InvalidParameter("invalid JSON: no text may hold a null character")
    try:
        content = msgspec.json.decode(data)
    except RecursionError:
        raise InvalidParameter("invalid JSON: exceeded max depth") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidParameter(_syntax_error(str(error))) from None
    if content is None:
        content = {}  # null leaves every field alone
    known: Any = kind
    try:
        fitted = _fit(content, _type_of(known), f"{kind.__name__}.")
        return msgspec.convert(fitted, kind)
    except msgspec.ValidationError as error:
        raise InvalidParameter(f"invalid JSON: json: cannot unmarshal: {error}") from None


def _syntax_error(text: str) -> str:
    if "trailing characters" in text:
        return "unexpected content after JSON"
    if "truncated" in text:
        return "invalid JSON: unexpected EOF"
    return f"invalid JSON: {text.removeprefix('JSON is malformed: ')}"


@cache
def _type_of(kind: Any) -> inspect.Type:
    return inspect.type_info(kind)


@cache
def _fields(kind: type) -> dict[str, inspect.Field]:
    info = inspect.type_info(kind)
    assert isinstance(info, inspect.StructType)
    return {field.encode_name.lower(): field for field in info.fields}


def _alternatives(kind: inspect.Type) -> Iterator[inspect.Type]:
    if isinstance(kind, inspect.UnionType):
        yield from kind.types
    else:
        yield kind


def _fit(value: Any, kind: inspect.Type, path: str) -> Any:
    """A value with the names that the type knows; raises InvalidParameter where it cannot fit."""
    kinds = [item for item in _alternatives(kind) if not isinstance(item, inspect.NoneType)]
    if value is None or any(isinstance(item, inspect.AnyType) for item in kinds):
        return value
    for item in kinds:
        if isinstance(item, inspect.StructType) and isinstance(value, dict):
            return _fit_struct(value, item, path)
        if isinstance(item, inspect.DictType) and isinstance(value, dict):
            return {key: _filled(entry, item.value_type, path) for key, entry in value.items()}
        if isinstance(item, _SEQUENCES) and isinstance(value, list):
            return _fit_list(value, item, path)
        if _is_plain(value, item):
            return value
    raise _misfit(value, kinds[0], path)


def _is_plain(value: Any, kind: inspect.Type) -> bool:
    allowed = _PYTHON_KINDS.get(type(kind), ())
    if isinstance(value, bool) and bool not in allowed:
        return False
    if not isinstance(value, allowed):
        return False
    return not isinstance(kind, inspect.IntType) or value in _INT64


def _fit_struct(value: dict[str, Any], kind: inspect.StructType, path: str) -> dict[str, Any]:
    known = _fields(kind.cls)
    fitted: dict[str, Any] = {}
    for key, entry in value.items():
        field = known.get(key.lower())
        if field is None:
            continue
        name = field.encode_name
        if entry is not None or _takes_null(field.type):
            fitted[name] = _fit(entry, field.type, f"{path}{name}.")
    return fitted


def _fit_list(value: list[Any], kind: inspect.Type, path: str) -> list[Any]:
    if isinstance(kind, inspect.TupleType):
        # Go's arrays: what is missing is zero, what is too much is dropped.
        given = [*value, *[0] * len(kind.item_types)][: len(kind.item_types)]
        pairs = zip(given, kind.item_types, strict=True)
        return [_fit(entry or 0, item, path) for entry, item in pairs]
    assert isinstance(kind, inspect.ListType | inspect.VarTupleType)
    return [_filled(entry, kind.item_type, path) for entry in value]


def _filled(value: Any, kind: inspect.Type, path: str) -> Any:
    """As `_fit`; null becomes the zero value where the type has no null."""
    if value is None and not _takes_null(kind):
        return _zero(kind)
    return _fit(value, kind, path)


def _zero(kind: inspect.Type) -> Any:
    if isinstance(kind, inspect.StructType | inspect.DictType):
        return {}
    if isinstance(kind, _SEQUENCES):
        return []
    return {inspect.StrType: "", inspect.BoolType: False}.get(type(kind), 0)


def _takes_null(kind: inspect.Type) -> bool:
    return any(isinstance(item, inspect.NoneType | inspect.AnyType) for item in _alternatives(kind))


def _misfit(value: Any, kind: inspect.Type, path: str) -> InvalidParameter:
    given = {bool: "bool", str: "string", list: "array", dict: "object"}.get(type(value), "number")
    if given == "number" and isinstance(kind, inspect.IntType | inspect.FloatType):
        given = f"number {value}"
    return InvalidParameter(
        f"invalid JSON: json: cannot unmarshal {given} into Go struct field "
        f"{path.removesuffix('.')} of type {_go_name(kind)}"
    )


def _go_name(kind: inspect.Type) -> str:
    if isinstance(kind, inspect.StructType):
        return kind.cls.__name__
    if isinstance(kind, inspect.DictType):
        return f"map[string]{_go_name(kind.value_type)}"
    if isinstance(kind, inspect.ListType | inspect.VarTupleType):
        return f"[]{_go_name(kind.item_type)}"
    if isinstance(kind, inspect.UnionType):
        return _go_name(next(_alternatives(kind)))
    return _GO_NAMES.get(type(kind), "interface {}")
