"""What a container runs, out of what user and image say: dockerd's rules, case by case."""

import pytest

from wherry.base.errors import InvalidParameter
from wherry.engine.containers.merge import merge_config
from wherry.model.docker.container import ContainerConfig
from wherry.model.image_config import HealthConfig, ImageConfig, RuntimeConfig


def image(**fields: object) -> ImageConfig:
    return ImageConfig(config=RuntimeConfig(**fields))  # type: ignore[arg-type] # a test's shortcut


@pytest.mark.parametrize(
    ("entrypoint", "command", "merged_entrypoint", "merged_command"),
    [
        (None, None, ["/entry"], ["default"]),
        (None, ["mine"], ["/entry"], ["mine"]),
        (["/own"], None, ["/own"], None),
        (["/own"], ["mine"], ["/own"], ["mine"]),
        ([""], ["mine"], None, ["mine"]),
        (None, "words", ["/entry"], ["words"]),
    ],
)
def test_an_entrypoint_of_the_users_own_resets_the_images_command(
    entrypoint: list[str] | None,
    command: list[str] | str | None,
    merged_entrypoint: list[str] | None,
    merged_command: list[str] | None,
) -> None:
    user = ContainerConfig(entrypoint=entrypoint, cmd=command)
    merged = merge_config(user, image(entrypoint=["/entry"], cmd=["default"]))
    assert merged.entrypoint == merged_entrypoint
    assert merged.cmd == merged_command


def test_nothing_to_run_is_refused() -> None:
    with pytest.raises(InvalidParameter, match="no command specified"):
        merge_config(ContainerConfig(), image())


def test_the_users_variables_win_over_the_images() -> None:
    user = ContainerConfig(cmd=["x"], env=["A=user", "C=3"])
    merged = merge_config(user, image(env=["A=image", "B=2"]))
    assert sorted(merged.env or []) == ["A=user", "B=2", "C=3"]


def test_what_the_user_leaves_out_comes_from_the_image() -> None:
    base = image(
        user="web", working_dir="/srv", stop_signal="SIGINT", labels={"a": "1", "b": "1"},
        exposed_ports={"80/tcp": {}}, volumes={"/data": {}},
    )  # fmt: skip
    user = ContainerConfig(
        cmd=["x"], labels={"b": "2"}, exposed_ports={"443/tcp": {}}, volumes={"/more": {}}
    )
    merged = merge_config(user, base)
    assert (merged.user, merged.working_dir, merged.stop_signal) == ("web", "/srv", "SIGINT")
    assert merged.labels == {"a": "1", "b": "2"}
    assert set(merged.exposed_ports or ()) == {"80/tcp", "443/tcp"}
    assert set(merged.volumes or ()) == {"/data", "/more"}


def test_a_health_check_is_merged_field_by_field() -> None:
    base = image(healthcheck=HealthConfig(test=["CMD", "probe"], interval=10**10, retries=5))
    user = ContainerConfig(cmd=["x"], healthcheck=HealthConfig(interval=10**9))
    check = merge_config(user, base).healthcheck
    assert check is not None
    assert (check.test, check.interval, check.retries) == (["CMD", "probe"], 10**9, 5)
