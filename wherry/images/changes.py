"""Dockerfile instructions that change a configuration (`--change` of import and commit)."""

import json
import shlex
from collections.abc import Callable, Sequence

import msgspec

from wherry.base.errors import InvalidParameter
from wherry.model.image_config import HealthConfig, RuntimeConfig


def apply_changes(config: RuntimeConfig, changes: Sequence[str]) -> RuntimeConfig:
    """The configuration after the instructions; raises InvalidParameter naming a bad one."""
    for change in changes:
        for line in change.splitlines():
            if not line.strip():
                continue
            word, _, rest = line.strip().partition(" ")
            apply = _INSTRUCTIONS.get(word.upper())
            if apply is None:
                raise InvalidParameter(f"{word} is not a valid change command")
            try:
                config = apply(config, rest.strip())
            except ValueError as error:
                raise InvalidParameter(f"{word.upper()}: {error}") from None
    return config


def _words(text: str, shell: bool) -> list[str]:
    """The exec form (a JSON list) or the shell form of a command."""
    if text.startswith("["):
        try:
            value = json.loads(text)
        except ValueError:
            value = None
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return value
    return ["/bin/sh", "-c", text] if shell else text.split()


def _pairs(text: str) -> list[tuple[str, str]]:
    """`key=value ...`, or the old form `key value`."""
    first = text.split(None, 1)
    if not first:
        raise ValueError("requires at least one argument")
    if "=" not in first[0]:
        if len(first) < 2:
            raise ValueError("must have two arguments")
        return [(first[0], first[1])]
    found: list[tuple[str, str]] = []
    for word in shlex.split(text):
        key, equals, value = word.partition("=")
        if not equals:
            raise ValueError(f"can't find = in {word!r}: must be of the form name=value")
        found.append((key, value))
    return found


def _env(config: RuntimeConfig, text: str) -> RuntimeConfig:
    values = dict(item.split("=", 1) for item in config.env or [])
    values.update(_pairs(text))
    env = [f"{key}={value}" for key, value in values.items()]
    return msgspec.structs.replace(config, env=env)


def _label(config: RuntimeConfig, text: str) -> RuntimeConfig:
    return msgspec.structs.replace(config, labels={**(config.labels or {}), **dict(_pairs(text))})


def _expose(config: RuntimeConfig, text: str) -> RuntimeConfig:
    ports = dict(config.exposed_ports or {})
    for word in text.split():
        ports[word if "/" in word else f"{word}/tcp"] = {}
    return msgspec.structs.replace(config, exposed_ports=ports)


def _volume(config: RuntimeConfig, text: str) -> RuntimeConfig:
    volumes = dict(config.volumes or {})
    volumes.update({word: {} for word in _words(text, shell=False)})
    return msgspec.structs.replace(config, volumes=volumes)


def _workdir(config: RuntimeConfig, text: str) -> RuntimeConfig:
    path = text if text.startswith("/") else f"{config.working_dir.rstrip('/')}/{text}"
    return msgspec.structs.replace(config, working_dir=path)


def _health(config: RuntimeConfig, text: str) -> RuntimeConfig:
    if text.upper() == "NONE":
        return msgspec.structs.replace(config, healthcheck=HealthConfig(test=["NONE"]))
    options, kind, command = text.rpartition("CMD ")
    if not kind:
        raise ValueError(f"unknown type {text.split()[0]!r} in HEALTHCHECK (try CMD)")
    values = dict(word.removeprefix("--").split("=", 1) for word in options.split())
    durations = {
        name.replace("-", "_"): parse_duration(values[name])
        for name in ("interval", "timeout", "start-period", "start-interval")
        if name in values
    }
    words = _words(command, shell=False)
    test = ["CMD", *words] if command.startswith("[") else ["CMD-SHELL", command]
    check = HealthConfig(test=test, retries=int(values.get("retries", "0")), **durations)
    return msgspec.structs.replace(config, healthcheck=check)


_DURATION_UNITS = {"ns": 1, "us": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9,
                   "h": 3600 * 10**9}  # fmt: skip


def parse_duration(text: str) -> int:
    """Nanoseconds of a Go duration such as 1m30s; raises ValueError."""
    total, number, unit = 0.0, "", ""
    for char in f"{text} ":
        if (char.isdecimal() or char in ". ") and unit:
            if unit not in _DURATION_UNITS or not number:
                raise ValueError(f'time: invalid duration "{text}"')
            total += float(number) * _DURATION_UNITS[unit]
            number, unit = "", ""
        if char.isdecimal() or char == ".":
            number += char
        elif char != " ":
            unit += char
    if number:
        raise ValueError(f'time: missing unit in duration "{text}"')
    return int(total)


_INSTRUCTIONS: dict[str, Callable[[RuntimeConfig, str], RuntimeConfig]] = {
    "CMD": lambda config, text: msgspec.structs.replace(config, cmd=_words(text, shell=True)),
    "ENTRYPOINT": lambda config, text: msgspec.structs.replace(
        config, entrypoint=_words(text, shell=True)
    ),
    "ENV": _env,
    "EXPOSE": _expose,
    "HEALTHCHECK": _health,
    "LABEL": _label,
    "ONBUILD": lambda config, text: msgspec.structs.replace(
        config, on_build=[*(config.on_build or []), text]
    ),
    "STOPSIGNAL": lambda config, text: msgspec.structs.replace(config, stop_signal=text),
    "USER": lambda config, text: msgspec.structs.replace(config, user=text),
    "VOLUME": _volume,
    "WORKDIR": _workdir,
}
