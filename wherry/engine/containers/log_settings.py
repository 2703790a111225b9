"""How a container's output is logged: its options in the monitor's words."""

import re
from collections.abc import Callable

from wherry.base.errors import InvalidParameter
from wherry.engine.containers.container import Record
from wherry.engine.containers.defaults import ContainerDefaults
from wherry.supervisor.messages import LogSettings

_UNITS = {"b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
DEFAULT_SIZE = 20 << 20
DEFAULT_FILES = 5
_TAG_FIELDS: dict[str, Callable[[Record], str]] = {
    ".ID": lambda record: record.id[:12],
    ".FullID": lambda record: record.id,
    ".Name": lambda record: record.name,
    ".ImageID": lambda record: record.image_id[:12],
    ".ImageFullID": lambda record: record.image_id,
    ".ImageName": lambda record: record.image,
    ".DaemonName": lambda record: "docker",
}


def parse_log_size(text: str) -> int:
    """Bytes of a size such as 10m; -1 for none; raises InvalidParameter."""
    lowered = text.strip().lower().removesuffix("b") or "0"
    try:
        if lowered[-1] in _UNITS:
            return int(float(lowered[:-1]) * _UNITS[lowered[-1]])
        return int(lowered)
    except ValueError:
        raise InvalidParameter(f"invalid size: '{text}'") from None


def log_settings(record: Record, defaults: ContainerDefaults) -> LogSettings:
    """Settings of a container; logs rotate unless told otherwise (5 files of 20 MB)."""
    log = record.host.log_config
    options = log.config or {}
    size = parse_log_size(options["max-size"]) if "max-size" in options else DEFAULT_SIZE
    files = options.get("max-file", str(DEFAULT_FILES))
    if not files.isdecimal() or int(files) < 1:
        raise InvalidParameter("max-file cannot be less than 1")
    compress = options.get("compress", "false")
    if compress not in ("true", "false", "1", "0"):
        raise InvalidParameter(f"invalid compress: {compress!r}: it is true or false")
    compressing = compress in ("true", "1")
    if compressing and (int(files) < 2 or size <= 0):
        raise InvalidParameter(
            "compress cannot be true when max-file is less than 2 or max-size is not set"
        )
    return LogSettings(
        driver=log.type,
        path=record.log_path,
        max_size=size if size > 0 else -1,
        max_file=int(files),
        compress=compressing,
        mode=options.get("mode", "blocking"),
        max_buffer_size=parse_log_size(options.get("max-buffer-size", "1m")),
        attrs=_attributes(record, options),
        tag=options.get("tag", ""),
    )


def compiled(option: str, options: dict[str, str]) -> re.Pattern[str] | None:
    """The pattern of an option, None if it is not given; raises InvalidParameter."""
    try:
        return re.compile(options[option]) if options.get(option) else None
    except re.error as error:
        raise InvalidParameter(f"invalid {option}: {error}") from None


def _attributes(record: Record, options: dict[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    labels = record.config.labels or {}
    for name in filter(None, options.get("labels", "").split(",")):
        if name in labels:
            found[name] = labels[name]
    environment = dict(item.split("=", 1) for item in record.config.env or () if "=" in item)
    for name in filter(None, options.get("env", "").split(",")):
        if name in environment:
            found[name] = environment[name]
    for option, values in (("labels-regex", labels), ("env-regex", environment)):
        pattern = compiled(option, options)
        found.update({name: value for name, value in values.items()
                      if pattern and pattern.search(name)})  # fmt: skip
    if options.get("tag"):
        found["tag"] = _tag(options["tag"], record)
    return found


def _tag(template: str, record: Record) -> str:
    """The tag of a template of dockerd's fields; raises InvalidParameter for all else in braces."""

    def value(found: re.Match[str]) -> str:
        field = _TAG_FIELDS.get(found[1].strip())
        if field is None:
            raise InvalidParameter(
                f"invalid tag {template!r}: {found[0]} is none of {', '.join(_TAG_FIELDS)}"
            )
        return field(record)

    text = re.sub(r"\{\{(.*?)\}\}", value, template)
    if "{{" in text:
        raise InvalidParameter(f"invalid tag {template!r}: unclosed action")
    return text
