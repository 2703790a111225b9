"""What a container runs: the user's configuration over the image's, by dockerd's rules."""

import msgspec

from wherry.base.errors import InvalidParameter
from wherry.model.docker.container import ContainerConfig, words
from wherry.model.image_config import HealthConfig, ImageConfig, RuntimeConfig


def merge_config(user: ContainerConfig, image: ImageConfig) -> ContainerConfig:
    """The merged configuration; raises InvalidParameter if there is nothing to run."""
    base = image.config or RuntimeConfig()
    entrypoint = words(user.entrypoint)
    command = words(user.cmd)
    if user.entrypoint is None:
        # An entrypoint of the user's own resets the image's command; an empty one does too.
        entrypoint = list(base.entrypoint or [])
        if not command:
            command = list(base.cmd or [])
    if entrypoint == [""]:
        entrypoint = []
    if not entrypoint and not command:
        raise InvalidParameter("no command specified")
    return msgspec.structs.replace(
        user,
        user=user.user or base.user,
        env=_merge_env(base.env, user.env),
        entrypoint=entrypoint or None,
        cmd=command or None,
        working_dir=user.working_dir or base.working_dir,
        exposed_ports={**(base.exposed_ports or {}), **(user.exposed_ports or {})} or None,
        volumes={**(base.volumes or {}), **(user.volumes or {})} or None,
        labels={**(base.labels or {}), **(user.labels or {})},
        stop_signal=user.stop_signal or base.stop_signal,
        healthcheck=_merge_health(user.healthcheck, base.healthcheck),
        shell=user.shell or base.shell,
    )


def _merge_env(base: list[str] | None, user: list[str] | None) -> list[str] | None:
    if base is None or user is None:
        return user if base is None else base
    given = {item.partition("=")[0] for item in user}
    return [*user, *(item for item in base if item.partition("=")[0] not in given)]


def _merge_health(user: HealthConfig | None, base: HealthConfig | None) -> HealthConfig | None:
    if user is None or base is None:
        return user or base
    return HealthConfig(
        test=user.test or base.test,
        interval=user.interval or base.interval,
        timeout=user.timeout or base.timeout,
        start_period=user.start_period or base.start_period,
        start_interval=user.start_interval or base.start_interval,
        retries=user.retries or base.retries,
    )
