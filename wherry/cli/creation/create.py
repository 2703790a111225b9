"""Creating a container: pull if the image is missing, create, the file with its ID."""

from __future__ import annotations

import os
import sys

from wherry.cli.creation.body import create_body
from wherry.cli.errors import CliError
from wherry.cli.reference import parse_reference
from wherry.cli.terminal import terminal_size
from wherry.client.errors import ApiError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from wherry.cli.options import Options
    from wherry.cli.session import Session

_PULL_POLICIES = ("always", "missing", "never", "")


class CidFile:
    """The file of `--cidfile`: made before the container, removed if there is none."""

    def __init__(self, path: str) -> None:
        self._path = path
        if not path:
            return
        if os.path.exists(path):
            raise CliError(
                "container ID file found, make sure the other container isn't running or delete "
                + path
            )
        try:
            with open(path, "w"):
                pass
        except OSError as error:
            raise CliError(
                f"failed to create the container ID file: open {path}: "
                f"{(error.strerror or '').lower()}"
            ) from error

    def write(self, identity: str) -> None:
        """Keeps the ID."""
        if self._path:
            with open(self._path, "w") as file:
                file.write(identity)

    def drop(self) -> None:
        """Removes the empty file of a container that was not made."""
        if self._path:
            os.unlink(self._path)


def check_pull_policy(policy: str) -> None:
    """Refuses what is not a `--pull` policy."""
    if policy not in _PULL_POLICIES:
        raise CliError(
            f'invalid pull option: \'{policy}\': must be one of "always", "missing" or "never"'
        )


def request_body(session: Session, options: Options, operands: list[str]) -> dict[str, Any]:
    """The create request of a command line; the user's proxies are added to the environment."""
    proxies = None
    if session.config.mapping("proxies"):
        given = {
            name: value if equals else None
            for name, equals, value in (item.partition("=") for item in options.items("env"))
        }
        proxies = session.config.proxy_environment(session.endpoint().host, given)
    return create_body(options, operands[0], operands[1:], proxies)


def create_container(session: Session, options: Options, body: dict[str, Any]) -> str:
    """POST /containers/create, after a pull where the policy says so; the container's ID."""
    platform = options.text("platform") or session.environment.get("DOCKER_DEFAULT_PLATFORM", "")
    if platform:
        from wherry.cli.platforms import parse_platform

        parse_platform(platform)
    if options.flag("use-api-socket"):
        _share_socket(session, body)
    cid_file = CidFile(options.text("cidfile"))
    try:
        identity = _create(session, options, body, platform)
    except BaseException:
        cid_file.drop()
        raise
    cid_file.write(identity)
    return identity


def _share_socket(session: Session, body: dict[str, Any]) -> None:
    endpoint = session.endpoint()
    source = (
        f"/{endpoint.address.lstrip('/')}" if endpoint.scheme == "unix" else "/var/run/docker.sock"
    )
    body["HostConfig"].setdefault("Mounts", []).append(
        {"Type": "bind", "Source": source, "Target": "/var/run/docker.sock", "BindOptions": {}}
    )


def _create(session: Session, options: Options, body: dict[str, Any], platform: str) -> str:
    image = body["Image"]
    policy = options.text("pull")
    reference = None
    if len(image) != 64 and not image.startswith("sha256:"):
        reference = parse_reference(image).tagged()
    if policy == "always" and reference:
        _pull(session, options, reference.familiar, platform)
    body["HostConfig"]["ConsoleSize"] = list(terminal_size())
    _adapt(session, options, body)
    query = {"name": options.text("name")} if options.text("name") else {}
    if platform:
        query["platform"] = platform
    try:
        answer = session.client.post("/containers/create", query, body)
    except ApiError as error:
        if error.status != 404 or reference is None or policy not in ("missing", ""):
            raise
        if not options.flag("quiet"):
            session.warn(f"Unable to find image '{reference.familiar}' locally")
        _pull(session, options, reference.familiar, platform)
        answer = session.client.post("/containers/create", query, body)
    for warning in answer.get("Warnings") or ():
        session.warn(f"WARNING: {warning}")
    return str(answer["Id"])


def _adapt(session: Session, options: Options, body: dict[str, Any]) -> None:
    """Puts settings where engines of other versions look for them."""
    if session.client.version_key < (1, 44):
        if options.text("mac-address"):
            body["MacAddress"] = options.text("mac-address")
        (body.get("Healthcheck") or {}).pop("StartInterval", None)


def _pull(session: Session, options: Options, name: str, platform: str) -> None:
    from wherry.cli.pulling import pull_image

    pull_image(
        session,
        parse_reference(name).tagged(),
        platform=platform,
        quiet=options.flag("quiet"),
        output=sys.stderr,
    )
