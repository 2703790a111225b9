"""`wherry cp`."""

from __future__ import annotations

import os
import posixpath
import sys

from wherry.cli import copying
from wherry.cli.copying import CopyPoint, ResponseFile
from wherry.cli.errors import CliError
from wherry.cli.input_file import file_chunks
from wherry.cli.transfer import Transfer
from wherry.cli.units import human_size
from wherry.client.errors import ApiError
from wherry.client.json_text import loads
from wherry.client.query import escape_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from wherry.cli.options import Option, Options
    from wherry.cli.session import Session

SYNTAX = (
    "[OPTIONS] CONTAINER:SRC_PATH DEST_PATH|-\n\tdocker cp [OPTIONS] SRC_PATH|- CONTAINER:DEST_PATH"
)
DESCRIPTION = (
    "Copy files/folders between a container and the local filesystem\n"
    "\n"
    "Use '-' as the source to read a tar archive from stdin\n"
    "and extract it to a directory destination in a container.\n"
    "Use '-' as the destination to stream a tar archive of a\n"
    "container source to stdout."
)
ALIASES: tuple[str, ...] = ("container cp", "cp")
OPTIONS: tuple[Option, ...] = (
    ("archive", "a", "bool", "Archive mode (copy all uid/gid information)"),
    ("follow-link", "L", "bool", "Always follow symbol link in SRC_PATH"),
    (
        "quiet",
        "q",
        "bool",
        (
            "Suppress progress output during copy. Progress output is "
            "automatically suppressed if no terminal is attached"
        ),
    ),
)
ARGUMENTS = (2, 2)


_GO_DIRECTORY = 1 << 31
_GO_SYMLINK = 1 << 27


def run(session: Session, options: Options, operands: list[str]) -> int:
    """Copies out of a container or into one."""
    source, destination = operands
    if not source:
        raise CliError("source can not be empty")
    if not destination:
        raise CliError("destination can not be empty")
    from_container, source_path = split_argument(source)
    to_container, destination_path = split_argument(destination)
    if from_container and to_container:
        raise CliError("copying between containers is not supported")
    if from_container:
        _copy_out(session, options, from_container, source_path, destination_path)
    elif to_container:
        _copy_in(session, options, source_path, to_container, destination_path)
    else:
        raise CliError("must specify at least one container source")
    return 0


def split_argument(text: str) -> tuple[str, str]:
    """(container, path); a local path with a colon is told by its `/` or `.` at the start."""
    if os.path.isabs(text):
        return "", text
    container, colon, path = text.partition(":")
    if not colon or container.startswith("."):
        return "", text
    return container, path


def _local(path: str) -> str:
    return copying.preserve_ending(os.path.abspath(path), path)


def _stat(session: Session, container: str, path: str) -> dict[str, Any]:
    """X-Docker-Container-Path-Stat of a path in a container."""
    target = f"/containers/{escape_path(container)}/archive"
    response = session.client.request("HEAD", target, {"path": path})
    return path_stat(response.headers)


def path_stat(headers: dict[str, str]) -> dict[str, Any]:
    """The description of a path that the engine put into a header."""
    from base64 import b64decode

    value = loads(b64decode(headers.get("x-docker-container-path-stat", "")))
    if not isinstance(value, dict):
        raise CliError("unable to decode the description of the path in the container")
    return value


def _follow(path: str, stat: dict[str, Any]) -> str:
    target = str(stat.get("linkTarget") or "")
    if not target.startswith("/"):
        target = posixpath.join(copying.split_entry(path)[0], target)
    return target


def _copy_out(
    session: Session, options: Options, container: str, path: str, destination: str
) -> None:
    if destination != "-":
        destination = _local(destination)
        directory = os.path.dirname(destination.rstrip("/")) or "/"
        if not os.path.isdir(directory):
            raise CliError(f'invalid output path: directory "{directory}" does not exist')
    source = CopyPoint(path, exists=True)
    if options.flag("follow-link"):
        stat = _stat(session, container, path)
        if stat["mode"] & _GO_SYMLINK:
            source.path = copying.preserve_ending(_follow(path, stat), path)
            if not copying.specifies_current(path):
                source.rebase = copying.split_entry(path)[1]
    response = session.client.request(
        "GET", f"/containers/{escape_path(container)}/archive", {"path": source.path}
    )
    if destination == "-":
        for data in response.chunks():
            session.write_bytes(1, data)
        return
    source.is_dir = bool(path_stat(response.headers)["mode"] & _GO_DIRECTORY)
    with Transfer("Copying from container", quiet=options.flag("quiet")) as transfer:
        _unpack(options, ResponseFile(response, transfer.add), source, destination)
    _summary(session, options, transfer.count, destination)


def _unpack(options: Options, stream: ResponseFile, source: CopyPoint, path: str) -> None:
    destination = CopyPoint(path, os.path.exists(path), os.path.isdir(path))
    if destination.exists and not destination.is_dir and copying.asserts_directory(path):
        raise CliError("not a directory")
    directory, _, name = copying.prepare(source, destination)
    _, inner = copying.split_entry(source.path)
    try:
        copying.unpack(stream, directory, inner, name, options.flag("archive"))
    except OSError as error:
        raise CliError(str(error)) from error


def _summary(session: Session, options: Options, size: int, target: str) -> None:
    if not options.flag("quiet") and sys.stderr.isatty():
        session.warn(f"Successfully copied {human_size(size, 3)} to {target}")


def _destination(session: Session, container: str, path: str) -> CopyPoint:
    point = CopyPoint(path)
    try:
        stat = _stat(session, container, path)
        if stat["mode"] & _GO_SYMLINK:
            point.path = _follow(path, stat)
            stat = _stat(session, container, point.path)
    except ApiError:
        return point  # it does not exist yet: the engine says whether its directory does
    point.exists, point.is_dir = True, bool(stat["mode"] & _GO_DIRECTORY)
    return point


def _copy_in(session: Session, options: Options, path: str, container: str, target: str) -> None:
    destination = _destination(session, container, target)
    content: Iterator[bytes]
    if path == "-":
        if not destination.is_dir:
            raise CliError(f'destination "{container}:{target}" must be a directory')
        directory, content = destination.path, file_chunks(0)
    else:
        source = _local_source(_local(path), options.flag("follow-link"))
        directory, _, name = copying.prepare(source, destination)
        content = copying.archive_of(source, name)
    query = {"path": directory, "noOverwriteDirNonDir": "true"}
    if options.flag("archive"):
        query["copyUIDGID"] = "true"
    url = f"/containers/{escape_path(container)}/archive"
    with Transfer("Copying to container", quiet=options.flag("quiet")) as transfer:
        session.client.decoded(session.client.upload("PUT", url, query, transfer.through(content)))
    _summary(session, options, transfer.count, f"{container}:{destination.path}")


def _local_source(path: str, follow: bool) -> CopyPoint:
    bare = path.rstrip("/") or "/"
    if not os.path.lexists(bare):
        raise CliError(f"lstat {bare}: no such file or directory")
    point = CopyPoint(path, exists=True)
    if os.path.islink(bare) and (follow or path.endswith("/")):
        point.path = copying.preserve_ending(os.path.realpath(bare), path)
        if not copying.specifies_current(path):
            point.rebase = os.path.basename(bare)
    point.is_dir = os.path.isdir(point.path) and not os.path.islink(point.path)
    if copying.asserts_directory(path) and not point.is_dir:
        raise CliError("not a directory")
    return point
