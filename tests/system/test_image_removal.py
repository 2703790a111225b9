"""Removing and pruning images: who may go, what is said, and that nothing is left behind."""

import json
import time
from urllib.parse import quote

import pytest

from tests.support.api import Api, ApiError
from tests.support.engine import Engine, busybox_archive
from tests.support.layers import docker_archive, entry, layer


def made(engine: Engine, *names: str, content: str = "") -> str:
    """Loads a small image over busybox; returns its id."""
    above = layer(entry(content or names[0].replace(":", "-"), b"x" * 1000))
    engine.docker("load", stdin=docker_archive([busybox_archive(), above], names))
    return engine.docker("inspect", "-f", "{{.Id}}", names[0]).stdout.strip()


def stored(engine: Engine) -> tuple[int, int]:
    """How many layers and archives the engine keeps."""
    data = engine.root / "data"
    return (
        len([*(data / "overlay2/layers").glob("[0-9a-f]*")]),
        len([*(data / "archives").glob("[0-9a-f]*")]),
    )


def filtered(**filters: list[str]) -> str:
    return quote(json.dumps(filters))


def test_a_name_goes_first_and_the_image_with_the_last_one(engine: Engine) -> None:
    before = stored(engine)
    identifier = made(engine, "first:1", "second:1")
    api = Api(engine.socket)
    assert api.call("DELETE", "/images/first:1") == [{"Untagged": "first:1"}]
    rows = api.call("DELETE", "/images/second:1")
    assert rows[0] == {"Untagged": "second:1"}
    assert rows[1] == {"Deleted": identifier}
    assert len(rows) == 3
    assert stored(engine) == before


def test_an_id_with_several_names_has_to_be_forced(engine: Engine) -> None:
    identifier = made(engine, "one:1", "two:1")
    done = engine.docker("rmi", identifier, check=False)
    assert done.stderr.strip() == (
        f"Error response from daemon: conflict: unable to delete {identifier[7:19]} "
        "(must be forced) - image is referenced in multiple repositories"
    )
    shown = engine.docker("rmi", "-f", identifier[7:19]).stdout
    assert shown.splitlines()[:3] == ["Untagged: one:1", "Untagged: two:1",
                                      f"Deleted: {identifier}"]  # fmt: skip


def test_an_image_in_use_stays(engine: Engine) -> None:
    identifier = made(engine, "used:1")
    container = engine.docker("run", "-d", "--network", "none", "used:1", "sleep", "60").stdout
    short = container[:12]
    done = engine.docker("rmi", "used:1", check=False)
    assert done.stderr.strip() == (
        'Error response from daemon: conflict: unable to remove repository reference "used:1" '
        f"(must force) - container {short} is using its referenced image {identifier[7:19]}"
    )
    done = engine.docker("rmi", "-f", identifier, check=False)
    assert done.stderr.strip() == (
        f"Error response from daemon: conflict: unable to delete {identifier[7:19]} "
        f"(cannot be forced) - image is being used by running container {short}"
    )
    engine.docker("kill", short)
    done = engine.docker("rmi", identifier, check=False)
    assert done.stderr.strip() == (
        f"Error response from daemon: conflict: unable to delete {identifier[7:19]} "
        f"(must be forced) - image is being used by stopped container {short}"
    )
    assert f"Deleted: {identifier}" in engine.docker("rmi", "-f", identifier).stdout
    engine.docker("start", short)  # its layers are its own as long as it is there
    assert engine.docker("exec", short, "ls", "/used-1").stdout == "/used-1\n"
    engine.docker("rm", "-f", short)
    engine.docker("image", "prune", "-f")


def test_a_parent_stays_for_its_children_and_goes_with_the_last(engine: Engine) -> None:
    before = stored(engine)
    parent = made(engine, "parent:1")
    container = engine.docker("create", "--network", "none", "parent:1", "sh").stdout.strip()
    child = engine.docker("commit", container, "child:1").stdout.strip()
    engine.docker("rm", container)
    done = engine.docker("rmi", parent, check=False)
    assert done.stderr.strip() == (
        f"Error response from daemon: conflict: unable to delete {parent[7:19]} "
        "(cannot be forced) - image has dependent child images"
    )
    assert engine.docker("rmi", "parent:1").stdout == "Untagged: parent:1\n"
    assert parent not in engine.docker("images", "-q", "--no-trunc").stdout
    assert parent in engine.docker("images", "-aq", "--no-trunc").stdout
    assert engine.docker("image", "prune", "-f").stdout.endswith("Total reclaimed space: 0B\n")
    shown = engine.docker("rmi", "child:1").stdout
    assert f"Deleted: {child}" in shown
    assert f"Deleted: {parent}" in shown
    assert stored(engine) == before


def test_a_parent_may_be_left(engine: Engine) -> None:
    parent = made(engine, "left:1")
    container = engine.docker("create", "--network", "none", "left:1", "sh").stdout.strip()
    engine.docker("commit", container, "above:1")
    engine.docker("rm", container)
    engine.docker("rmi", "left:1")
    assert parent not in engine.docker("rmi", "--no-prune", "above:1").stdout
    assert parent in engine.docker("images", "-aq", "--no-trunc").stdout
    engine.docker("rmi", parent)


def test_a_prune_takes_what_nothing_names_and_counts_the_bytes(engine: Engine) -> None:
    engine.docker("image", "prune", "-f")
    named = made(engine, "named:1", content="a")
    dangling = made(engine, "named:1", content="b")
    assert named != dangling
    rows = engine.docker("images", "-q", "--no-trunc", "-f", "dangling=true").stdout.split()
    assert rows == [named]
    archives = engine.root / "data/archives"
    before = sum(path.stat().st_size for path in archives.glob("*/archive*"))
    found = Api(engine.socket).post("/images/prune")
    assert found["ImagesDeleted"][0] == {"Deleted": named}
    after = sum(path.stat().st_size for path in archives.glob("*/archive*"))
    assert found["SpaceReclaimed"] == 1000 + before - after
    assert Api(engine.socket).post("/images/prune") == {
        "ImagesDeleted": None, "SpaceReclaimed": 0,
    }  # fmt: skip
    engine.docker("rmi", "named:1")


def test_a_prune_of_all_spares_what_is_used_and_what_filters_spare(engine: Engine) -> None:
    spared = made(engine, "spared:1")
    container = engine.docker("create", "--network", "none", "spared:1", "sh").stdout.strip()
    made(engine, "gone:1")
    labelled = engine.docker(
        "import", "--change", "LABEL keep=yes", "-", "labelled:1", stdin=busybox_archive()
    ).stdout.strip()
    api = Api(engine.socket)
    wanted = {"dangling": ["false"], "label!": ["keep"], "until": ["1h"]}
    assert api.post(f"/images/prune?filters={filtered(**wanted)}")["ImagesDeleted"] is None
    wanted.pop("until")
    wanted["label!"] = ["keep=yes"]
    found = api.post(f"/images/prune?filters={filtered(**wanted)}")["ImagesDeleted"]
    assert {"Untagged": "gone:1"} in found
    left = engine.docker("images", "-q", "--no-trunc").stdout.split()
    assert {spared, labelled} <= set(left)
    for bad, words in (
        ({"nonsense": ["x"]}, "invalid filter 'nonsense'"),
        ({"dangling": ["perhaps"]}, "invalid filter 'dangling=[perhaps]'"),
        ({"until": ["soon"]}, "invalid value for 'until' filter: "),
        ({"until": ["1h", "2h"]}, "more than one until filter specified"),
    ):
        with pytest.raises(ApiError) as raised:
            api.post(f"/images/prune?filters={filtered(**bad)}")
        assert raised.value.status == 400
        assert words in raised.value.message
    engine.docker("rm", container)
    engine.docker("rmi", "spared:1", "labelled:1")
    engine.import_busybox()


def test_what_a_crash_left_goes_at_the_next_start(engine_ready: None) -> None:
    with Engine() as engine:
        made(engine, "kept:1")
        before = stored(engine)
        engine.kill()
        data = engine.root / "data"
        for number, place in enumerate(("overlay2/layers", "archives")):
            left = data / place / (str(number) * 64)
            (left / "diff").mkdir(parents=True)
            (left / "size").write_text("5")
            (left / "archive").write_bytes(b"x")
            (left / "descriptor.json").write_text('{"digest":"sha256:x","size":1}')
        engine.start()
        assert stored(engine) == before
        assert engine.docker("run", "--rm", "--network", "none", "kept:1", "echo", "well").stdout


def test_what_happens_to_images_is_told_with_their_labels(engine: Engine) -> None:
    command = ("import", "--change", "LABEL colour=green", "-", "told:1")
    identifier = engine.docker(*command, stdin=busybox_archive()).stdout.strip()
    engine.docker("tag", "told:1", "told:2")
    engine.docker("rmi", "told:1", "told:2")
    wanted = filtered(label=["colour=green"], type=["image"])
    path = f"/events?since=1&until={time.time():.9f}&filters={wanted}"
    events = [json.loads(line) for line in Api(engine.socket).raw("GET", path).splitlines()]
    assert [(item["Action"], item["Actor"]["Attributes"]["name"]) for item in events] == [
        ("import", identifier), ("tag", "told:2"), ("untag", identifier), ("untag", identifier),
        ("delete", identifier),
    ]  # fmt: skip


def test_rows_are_chosen_by_filters(engine: Engine) -> None:
    older = made(engine, "older.example/a/b:1", "docker.io/library/filtered:2")
    newer = engine.docker(
        "import", "--change", "LABEL colour=red", "-", "newer:1", stdin=busybox_archive()
    ).stdout.strip()

    def chosen(*filters: str) -> list[str]:
        words = [word for text in filters for word in ("-f", text)]
        return engine.docker("images", "-q", "--no-trunc", *words).stdout.split()

    assert chosen("reference=filtered") == [older]
    assert chosen("reference=filtered:2") == [older]
    assert chosen("reference=docker.io/library/f*:2") == [older]
    assert chosen("reference=older.example/*/b") == [older]
    assert chosen("reference=older*") == []  # a star ends at a slash
    assert chosen("reference=new[a-f]r:?") == [newer]
    assert chosen("label=colour") == [newer]
    assert chosen("label=colour=blue") == []
    assert newer in chosen("since=busybox")
    assert newer not in chosen("before=newer:1")
    assert older not in chosen("until=1970-01-01")
    shown = engine.docker("images", "-f", "reference=filtered", "--format", "{{.Repository}}")
    assert shown.stdout == "filtered\n"
    done = engine.docker("images", "-f", "since=nothing-here", check=False)
    assert "No such image: nothing-here" in done.stderr
    done = engine.docker("images", "-f", "nonsense=1", check=False)
    assert "invalid filter 'nonsense'" in done.stderr
    engine.docker("rmi", "older.example/a/b:1", "filtered:2", "newer:1")


def test_shared_bytes_are_counted_where_they_are_asked_for(engine: Engine) -> None:
    made(engine, "shared:1", content="a")
    made(engine, "shared:2", content="b")
    api = Api(engine.socket)
    rows = {tag: row for row in api.get("/images/json?shared-size=1") for tag in row["RepoTags"]}
    assert rows["shared:1"]["Size"] - rows["shared:1"]["SharedSize"] == 1000
    assert api.get("/images/json")[0]["SharedSize"] == -1
    usage = {tag: row for row in api.get("/system/df")["Images"] for tag in row["RepoTags"]}
    assert usage["shared:1"]["SharedSize"] == rows["shared:1"]["SharedSize"]
    engine.docker("rmi", "shared:1", "shared:2")


def test_older_clients_get_the_rows_that_they_know(engine: Engine) -> None:
    name = "reversed:1"
    made(engine, name)
    old = next(row for row in Api(engine.socket, "v1.40").get("/images/json")
               if name in row["RepoTags"])  # fmt: skip
    assert old["VirtualSize"] == old["Size"]
    assert old["Containers"] == -1
    shown = Api(engine.socket, "v1.43").get(f"/images/{name}/json")
    assert shown["VirtualSize"] == shown["Size"]
    assert shown["Config"]["Hostname"] == ""
    assert "ContainerConfig" in shown
    new = Api(engine.socket).get(f"/images/{name}/json")
    assert "VirtualSize" not in new
    assert "Hostname" not in new["Config"]
    engine.docker("rmi", name)
