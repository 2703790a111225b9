"""The life of a container, driven by the docker command line."""

from pathlib import Path

from tests.support.engine import Engine


def log_of(engine: Engine, container: str) -> str:
    path = engine.root / "data" / "containers" / container / f"{container}-json.log"
    return Path(path).read_text()


def test_a_created_container_starts_logs_and_tells_its_exit_code(engine: Engine) -> None:
    command = ("create", "busybox", "sh", "-c", "echo hello; exit 3")
    container = engine.docker(*command).stdout.strip()
    engine.docker("start", container)
    assert engine.docker("wait", container).stdout.strip() == "3"
    assert '"log":"hello\\n","stream":"stdout"' in log_of(engine, container)
    engine.docker("rm", container)
    assert not (engine.root / "data" / "containers" / container).exists()


def test_a_container_without_a_command_is_refused(engine: Engine) -> None:
    refused = engine.docker("create", "--entrypoint", "", "nosuchimage", check=False)
    assert refused.returncode != 0


def test_a_name_can_be_used_once(engine: Engine) -> None:
    engine.docker("create", "--name", "taken", "busybox", "true")
    again = engine.docker("create", "--name", "taken", "busybox", "true", check=False)
    assert again.returncode == 1
    assert 'The container name "/taken" is already in use' in again.stderr
    engine.docker("rm", "taken")


def test_a_missing_program_is_named_and_leaves_no_process(engine: Engine) -> None:
    container = engine.docker("create", "busybox", "nosuch").stdout.strip()
    refused = engine.docker("start", container, check=False)
    assert 'exec: "nosuch": executable file not found in $PATH' in refused.stderr
    engine.docker("rm", container)


def test_stop_ends_a_container_that_ignores_the_signal(engine: Engine) -> None:
    container = engine.docker("create", "busybox", "sleep", "1000").stdout.strip()
    engine.docker("start", container)
    engine.docker("stop", "-t", "0", container)
    assert engine.docker("wait", container).stdout.strip() == "137"
    engine.docker("rm", container)


def test_a_paused_container_goes_on_after_unpause(engine: Engine) -> None:
    container = engine.docker("create", "busybox", "sleep", "1000").stdout.strip()
    engine.docker("start", container)
    engine.docker("pause", container)
    twice = engine.docker("pause", container, check=False)
    assert "already paused" in twice.stderr
    engine.docker("unpause", container)
    engine.docker("kill", container)
    engine.docker("rm", "-f", container)
