"""The image configuration (OCI image specification, config.md, with Docker's additions)."""

import platform
from typing import Any

import msgspec


class HealthConfig(msgspec.Struct, frozen=True, rename="pascal", omit_defaults=True):
    """A health check: test words, and durations in nanoseconds."""

    test: list[str] | None = None
    interval: int = 0
    timeout: int = 0
    start_period: int = 0
    start_interval: int = 0
    retries: int = 0


class RuntimeConfig(msgspec.Struct, frozen=True, rename="pascal", omit_defaults=True):
    """What a container of the image runs as, unless told otherwise."""

    user: str = ""
    exposed_ports: dict[str, Any] | None = None
    env: list[str] | None = None
    entrypoint: list[str] | None = None
    cmd: list[str] | None = None
    volumes: dict[str, Any] | None = None
    working_dir: str = ""
    labels: dict[str, str] | None = None
    stop_signal: str = ""
    healthcheck: HealthConfig | None = None
    shell: list[str] | None = None
    on_build: list[str] | None = None
    args_escaped: bool = False


class RootFilesystem(msgspec.Struct, frozen=True):
    """The layers' uncompressed digests, lowest first."""

    type: str = "layers"
    diff_ids: tuple[str, ...] = ()


class History(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a layer came to be."""

    created: str = ""
    created_by: str = ""
    author: str = ""
    comment: str = ""
    empty_layer: bool = False


class ImageConfig(msgspec.Struct, frozen=True, omit_defaults=True):
    """The whole document; its digest is the image's id."""

    architecture: str = ""
    os: str = ""
    variant: str = ""
    created: str | None = None
    author: str = ""
    config: RuntimeConfig | None = None
    rootfs: RootFilesystem = RootFilesystem()
    history: tuple[History, ...] = ()
    os_version: str = msgspec.field(name="os.version", default="")


_GO_NAMES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "i686": "386"}


def host_architecture() -> str:
    """This machine's architecture by its OCI name."""
    return _GO_NAMES.get(platform.machine(), platform.machine())
