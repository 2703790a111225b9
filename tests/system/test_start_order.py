"""Containers of a compose project come up in its order with the daemon, without compose."""

from tests.support.engine import Engine

LABELS = ("--label", "com.docker.compose.project=shop", "--label")


def test_a_service_comes_up_when_what_it_depends_on_is_healthy() -> None:
    with Engine("--live-restore=false") as engine:
        engine.import_busybox()
        engine.docker("run", "-d", "--name", "web", "--restart", "always", "--stop-timeout", "0",
                      *LABELS, "com.docker.compose.service=web", "--label",
                      "com.docker.compose.depends_on=db:service_healthy:false", "busybox", "sleep",
                      "1000")  # fmt: skip
        engine.docker("run", "-d", "--name", "db", "--restart", "always", "--stop-timeout", "0",
                      *LABELS, "com.docker.compose.service=db", "--health-cmd", "true",
                      "--health-interval", "300ms", "busybox", "sleep", "1000")  # fmt: skip
        engine.stop()
        engine.start()
        events = engine.spawn("events", "--since", "1", "--format",
                              "{{.Actor.Attributes.name}} {{.Action}}")  # fmt: skip
        assert events.stdout
        seen: list[str] = []
        while "web start" not in seen:
            line = events.stdout.readline().decode().strip()
            if "exec" not in line:
                seen.append(line)
        events.kill()
        events.communicate()
        assert seen.index("db start") < seen.index("db health_status: healthy")
        assert seen.index("db health_status: healthy") < seen.index("web start")
