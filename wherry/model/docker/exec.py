"""Exec'd processes in Docker's Engine API (API 1.51)."""

import msgspec


class ExecCreateRequest(msgspec.Struct, frozen=True, rename="pascal", kw_only=True):
    """The body of `POST /containers/{id}/exec`."""

    user: str = ""
    privileged: bool = False
    tty: bool = False
    console_size: tuple[int, int] | None = None
    attach_stdin: bool = False
    attach_stdout: bool = False
    attach_stderr: bool = False
    detach_keys: str = ""
    env: list[str] | None = None
    working_dir: str = ""
    cmd: list[str] | None = None


class ExecCreateResponse(msgspec.Struct, frozen=True, rename="pascal"):
    """The answer: the exec's id."""

    id: str


class ExecStartRequest(msgspec.Struct, frozen=True, rename="pascal", kw_only=True):
    """The body of `POST /exec/{id}/start`; console size is height and width."""

    detach: bool = False
    tty: bool = False
    console_size: tuple[int, int] | None = None


class ExecProcess(msgspec.Struct, frozen=True, kw_only=True):
    """What runs; the names are lower case in Docker's answer."""

    tty: bool
    entrypoint: str
    arguments: list[str]
    privileged: bool
    user: str | msgspec.UnsetType = msgspec.UNSET


class ExecInspect(msgspec.Struct, frozen=True, rename="pascal", kw_only=True):
    """The answer to `GET /exec/{id}/json`; the exit code is null until the process has ended."""

    id: str = msgspec.field(name="ID")
    running: bool
    exit_code: int | None
    process_config: ExecProcess
    open_stdin: bool
    open_stderr: bool
    open_stdout: bool
    can_remove: bool
    container_id: str = msgspec.field(name="ContainerID")
    detach_keys: str
    pid: int
