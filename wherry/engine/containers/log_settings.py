"""How a container's output is logged: its options in the monitor's words."""

import re

from wherry.base.errors import InvalidParameter
from wherry.engine.containers.container import Record
from wherry.engine.containers.defaults import ContainerDefaults
from wherry.supervisor.messages import LogSettings

_UNITS = {"b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
DEFAULT_SIZE = 20 << 20
DEFAULT_FILES = 5


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
    return LogSettings(
        driver=log.type,
        path=record.log_path,
        max_size=size if size > 0 else -1,
        max_file=int(files),
        compress=options.get("compress", "false") == "true",
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
        found["tag"] = (
            options["tag"]
            .replace("{{.ID}}", record.id[:12])
            .replace("{{.FullID}}", record.id)
            .replace("{{.Name}}", record.name)
            .replace("{{.ImageName}}", record.image)
        )
    return found
