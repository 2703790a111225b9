"""docker-py, every method that it has: containers, images, networks, volumes, the engine.

The client notes which of its methods are called; the last test holds that against all of them.
"""

import io
import re
import tarfile
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import docker
import pytest
import requests
from docker.errors import APIError, ContainerError, ImageNotFound, NotFound
from docker.models.containers import Container
from docker.types import IPAMConfig, IPAMPool, LogConfig, Mount, Ulimit

from tests.support.engine import Engine, busybox_archive
from tests.support.needs import needs_program
from tests.support.registry import PASSWORD, USER, Registry

pytestmark = [
    # docker-py leaves sockets of streams to the collector of garbage.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

called: set[str] = set()

UNOFFERED: dict[str, tuple[int, Callable[[Any], object]]] = {
    "build": (501, lambda api: list(api.build(fileobj=io.BytesIO(b"FROM busybox")))),
    "create_plugin": (501, lambda api: api.create_plugin("a", "/etc/apt", gzip=False)),
    "plugin_privileges": (501, lambda api: api.plugin_privileges("a")),
    "pull_plugin": (501, lambda api: api.pull_plugin("a", [])),
    "inspect_plugin": (404, lambda api: api.inspect_plugin("a")),
    "remove_plugin": (404, lambda api: api.remove_plugin("a")),
    "enable_plugin": (404, lambda api: api.enable_plugin("a")),
    "disable_plugin": (404, lambda api: api.disable_plugin("a")),
    "push_plugin": (404, lambda api: api.push_plugin("a")),
    "configure_plugin": (404, lambda api: api.configure_plugin("a", {"b": "c"})),
    "upgrade_plugin": (404, lambda api: list(api.upgrade_plugin("a", "b", []))),
    "init_swarm": (501, lambda api: api.init_swarm("127.0.0.1")),
    "join_swarm": (501, lambda api: api.join_swarm(["127.0.0.1"], "token")),
    "leave_swarm": (503, lambda api: api.leave_swarm()),
    "inspect_swarm": (503, lambda api: api.inspect_swarm()),
    "update_swarm": (503, lambda api: api.update_swarm(1)),
    "get_unlock_key": (503, lambda api: api.get_unlock_key()),
    "unlock_swarm": (503, lambda api: api.unlock_swarm("SWMKEY-1-x")),
    "nodes": (503, lambda api: api.nodes()),
    "inspect_node": (503, lambda api: api.inspect_node("a")),
    "remove_node": (503, lambda api: api.remove_node("a")),
    "update_node": (503, lambda api: api.update_node("a", 1, {"Role": "worker"})),
    "services": (503, lambda api: api.services()),
    "create_service": (503, lambda api: api.create_service(
        docker.types.TaskTemplate(docker.types.ContainerSpec("busybox")))),
    "inspect_service": (503, lambda api: api.inspect_service("a")),
    "remove_service": (503, lambda api: api.remove_service("a")),
    "update_service": (503, lambda api: api.update_service("a", 1)),
    "service_logs": (503, lambda api: api.service_logs("a")),
    "tasks": (503, lambda api: api.tasks()),
    "inspect_task": (503, lambda api: api.inspect_task("a")),
    "configs": (503, lambda api: api.configs()),
    "create_config": (503, lambda api: api.create_config("a", b"b")),
    "inspect_config": (503, lambda api: api.inspect_config("a")),
    "remove_config": (503, lambda api: api.remove_config("a")),
}  # fmt: skip
"""Methods for what this engine does not offer, and the status that says so."""


class Recording(docker.APIClient):
    """An APIClient that notes which of its public methods are called."""

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        if callable(found) and not name.startswith("_"):
            called.add(name)
        return found


@pytest.fixture(scope="module")
def client(engine: Engine) -> Iterator[docker.DockerClient]:
    made = docker.DockerClient(base_url=f"unix://{engine.socket}", version="auto", timeout=60)
    made.api.close()
    made.api = Recording(base_url=f"unix://{engine.socket}", version="auto", timeout=60)
    yield made
    made.close()


@pytest.fixture
def api(client: docker.DockerClient) -> Any:
    return client.api


@pytest.fixture
def box(client: docker.DockerClient) -> Iterator[Container]:
    made = client.containers.run("busybox", ["sleep", "1000"], detach=True, init=True, tty=False)
    yield made
    made.remove(force=True, v=True)


def archive(name: str, data: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as made:
        entry = tarfile.TarInfo(name)
        entry.size = len(data)
        made.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def test_the_engine_tells_of_itself(client: docker.DockerClient, engine: Engine) -> None:
    assert client.ping()
    version, info = client.version(), client.info()
    assert version["ApiVersion"] == client.api.api_version
    assert info["DockerRootDir"] == str(engine.data)
    client.api.reload_config()
    usage = client.df()
    assert {image["RepoTags"][0] for image in usage["Images"]} >= {"busybox:latest"}
    assert usage["LayersSize"] > 1_000_000
    assert client.plugins.list() == []


def test_a_container_lives_its_whole_life(client: docker.DockerClient) -> None:
    made = client.containers.create("busybox", ["sleep", "1000"], name="life", init=True)
    assert (made.status, made.name) == ("created", "life")
    made.start()
    made.reload()
    assert made.status == "running"
    made.pause()
    made.reload()
    assert made.status == "paused"
    made.unpause()
    made.rename("death")
    made.restart(timeout=5)
    assert client.containers.get("death").id == made.id
    made.kill("SIGKILL")  # others are lost on a first process that has just begun
    assert made.wait()["StatusCode"] == 137
    made.start()
    made.stop(timeout=1)
    made.reload()
    assert made.status == "exited"
    made.remove()
    with pytest.raises(NotFound):
        client.containers.get(made.id)


def test_run_gives_output_or_raises_with_the_exit_code(client: docker.DockerClient) -> None:
    assert client.containers.run("busybox", "echo hi", remove=True) == b"hi\n"
    both = client.containers.run(
        "busybox", ["sh", "-c", "echo out; echo err >&2"], remove=True, stderr=True
    )
    assert sorted(both.splitlines()) == [b"err", b"out"]
    with pytest.raises(ContainerError) as failed:
        client.containers.run("busybox", ["sh", "-c", "exit 7"], remove=True)
    assert failed.value.exit_status == 7
    with pytest.raises(APIError, match="executable file not found in \\$PATH"):
        client.containers.run("busybox", "nosuch", remove=True)


def test_configuration_reaches_the_container(client: docker.DockerClient) -> None:
    script = "id -u; pwd; echo $A; ulimit -n; hostname; cat /etc/hosts; df /dev/shm /t; env"
    output = client.containers.run(
        "busybox", ["sh", "-c", script], remove=True, user="1000", working_dir="/tmp",
        environment={"A": "b"}, ulimits=[Ulimit(name="nofile", soft=99, hard=99)], hostname="h",
        extra_hosts={"far": "10.9.8.7"}, shm_size="8m", tmpfs={"/t": "size=1m"}, mem_limit="64m",
        nano_cpus=500_000_000, pids_limit=50, labels={"x": "y"}, cap_drop=["ALL"], read_only=True,
        security_opt=["no-new-privileges"], dns=["10.1.1.1"], network_mode="none",
        log_config=LogConfig(type="json-file", config={"max-size": "1m"}),
        sysctls={"net.ipv4.ip_forward": "1"}, stop_signal="SIGINT",
        healthcheck={"test": ["CMD", "true"], "interval": 10**9},
    ).decode()  # fmt: skip
    lines = output.splitlines()
    assert lines[:5] == ["1000", "/tmp", "b", "99", "h"]
    assert "10.9.8.7\tfar" in output
    assert "8192" in output


def test_lists_and_filters(client: docker.DockerClient, box: Container) -> None:
    assert [item.id for item in client.containers.list()] == [box.id]
    assert client.containers.list(filters={"status": "exited"}) == []
    assert client.containers.list(all=True, filters={"name": box.name}, limit=1)[0].id == box.id
    assert client.api.containers(size=True)[0]["SizeRootFs"] > 0
    assert box.image.tags == ["busybox:latest"]
    assert box.labels == {}
    assert box.health == "unknown"
    with pytest.raises(APIError, match="invalid filter 'nope'"):
        client.containers.list(filters={"nope": "x"})


def test_exec_in_every_form(client: docker.DockerClient, api: Any, box: Container) -> None:
    done = box.exec_run(["sh", "-c", "echo out; echo err >&2; exit 3"], demux=True)
    assert (done.exit_code, done.output) == (3, (b"out\n", b"err\n"))
    assert b"".join(box.exec_run("echo hi", stream=True).output) == b"hi\n"
    made = api.exec_create(box.id, ["cat"], stdin=True, tty=True)
    sock = api.exec_start(made, socket=True, tty=True)
    api.exec_resize(made, height=30, width=100)
    sock._sock.sendall(b"typed\n")
    assert sock._sock.recv(64).startswith(b"typed")
    sock.close()
    assert api.exec_inspect(made)["ProcessConfig"]["entrypoint"] == "cat"
    box.exec_run("touch /later", detach=True)


def test_attach_and_what_is_typed(client: docker.DockerClient, api: Any) -> None:
    made = client.containers.create("busybox", "cat", stdin_open=True, tty=False)
    sock = made.attach_socket(params={"stdin": 1, "stdout": 1, "stream": 1})
    made.start()
    sock._sock.sendall(b"line\n")
    header = sock._sock.recv(8, 0x100)  # MSG_WAITALL
    assert (header[0], int.from_bytes(header[4:], "big")) == (1, 5)
    assert sock._sock.recv(5, 0x100) == b"line\n"
    sock.close()
    made.kill()
    made.wait()
    assert made.attach(logs=True, stdout=True, stream=False) == b"line\n"
    made.remove()


def test_logs_top_stats_diff_and_resize(client: docker.DockerClient, api: Any) -> None:
    script = "echo one; echo two >&2; touch /new; exec sleep 1000"
    made = client.containers.run("busybox", ["sh", "-c", script], detach=True, tty=False)
    follow = made.logs(stream=True, follow=True)
    assert {next(follow), next(follow)} == {b"one\n", b"two\n"}
    assert made.logs(stderr=False) == b"one\n"
    assert made.logs(tail=1, timestamps=True, stdout=False).endswith(b"Z two\n")
    assert made.logs(since=int(time.time()) + 100) == b""
    assert "sleep 1000" in made.top()["Processes"][0][-1]
    assert made.stats(stream=False)["pids_stats"]["current"] >= 1
    samples = made.stats(decode=True)
    assert next(samples)["name"] == f"/{made.name}"
    samples.close()
    assert {"Path": "/new", "Kind": 1} in made.diff()
    made.update(mem_limit="64m", memswap_limit="64m")
    made.reload()
    assert made.attrs["HostConfig"]["Memory"] == 64 << 20
    made.remove(force=True)
    terminal = client.containers.run("busybox", "sleep 1000", detach=True, tty=True)
    terminal.resize(40, 120)
    terminal.remove(force=True)


def test_files_go_in_and_out(client: docker.DockerClient, box: Container) -> None:
    assert box.put_archive("/tmp", archive("a", b"data"))
    pieces, stat = box.get_archive("/tmp/a")
    assert (stat["name"], stat["size"]) == ("a", 4)
    with tarfile.open(fileobj=io.BytesIO(b"".join(pieces))) as found:
        member = found.extractfile("a")
        assert member is not None
        assert member.read() == b"data"
    exported = tarfile.open(fileobj=io.BytesIO(b"".join(box.export())))  # noqa: SIM115
    assert "bin/busybox" in exported.getnames()
    with pytest.raises(NotFound):
        box.get_archive("/nowhere")


def test_ports_and_networks(client: docker.DockerClient, api: Any) -> None:
    made = client.containers.run(
        "busybox", "sleep 1000", detach=True, ports={"80/tcp": ("127.0.0.1", None)}
    )
    made.reload()
    bound = made.ports["80/tcp"][0]
    assert bound["HostIp"] == "127.0.0.1"
    assert api.port(made.id, 80) == [bound]
    pool = IPAMPool(subnet="10.213.5.0/24", gateway="10.213.5.1")
    network = client.networks.create(
        "own", driver="bridge", labels={"a": "b"}, ipam=IPAMConfig(pool_configs=[pool])
    )
    assert [item.name for item in client.networks.list(names=["own"])] == ["own"]
    network.connect(made, aliases=["other"], ipv4_address="10.213.5.9")
    network.reload()
    assert network.containers == [made]
    made.reload()
    settings = made.attrs["NetworkSettings"]["Networks"]
    assert settings["own"]["IPAddress"] == "10.213.5.9"
    assert {"bridge", "own"} == settings.keys()
    network.disconnect(made)
    made.remove(force=True)
    network.remove()
    spare = client.networks.create("spare")
    assert client.networks.get("spare").id == spare.id
    assert client.networks.prune()["NetworksDeleted"] == ["spare"]


def test_an_ipv6_address_is_kept_for_the_day_that_its_network_has_ipv6(
    client: docker.DockerClient, api: Any
) -> None:
    pools = IPAMConfig(pool_configs=[IPAMPool(subnet="2001:db8:9::/64")])
    network = client.networks.create("later", ipam=pools)
    endpoint = api.create_endpoint_config(ipv6_address="2001:db8:9::f00d")
    made = client.containers.run(
        "busybox", "sleep 1000", detach=True, network="later", networking_config={"later": endpoint}
    )
    made.reload()
    settings = made.attrs["NetworkSettings"]["Networks"]["later"]
    assert settings["IPAMConfig"]["IPv6Address"] == "2001:db8:9::f00d"
    assert settings["GlobalIPv6Address"] == ""
    made.remove(force=True)
    network.remove()


@pytest.mark.parametrize("mode", ["host", "none"])
def test_host_and_none_are_among_a_containers_networks(
    client: docker.DockerClient, mode: str
) -> None:
    made = client.containers.run("busybox", "sleep 1000", detach=True, network_mode=mode)
    made.reload()
    assert list(made.attrs["NetworkSettings"]["Networks"]) == [mode]
    made.remove(force=True)


def test_volumes_and_mounts(client: docker.DockerClient) -> None:
    volume = client.volumes.create("data", driver="local", labels={"a": "b"})
    assert client.volumes.get("data").attrs["Labels"] == {"a": "b"}
    assert [item.name for item in client.volumes.list(filters={"name": "data"})] == ["data"]
    client.containers.run(
        "busybox", ["sh", "-c", "echo x > /d/f"], mounts=[Mount("/d", "data")], remove=True
    )
    read = client.containers.run("busybox", "cat /d/f", volumes=["data:/d:ro"], remove=True)
    assert read == b"x\n"
    volume.reload()
    volume.remove()
    client.volumes.create("spare")
    deleted = client.volumes.prune(filters={"all": "true"})["VolumesDeleted"]
    assert "spare" in deleted


def test_events_tell_what_happened(client: docker.DockerClient) -> None:
    since = int(time.time())
    client.containers.run("busybox", "true", remove=True, name="told")
    told = client.events(since=since, until=int(time.time()) + 1, decode=True,
                         filters={"container": "told"})  # fmt: skip
    actions = [event["Action"] for event in told]
    order = [name for name in actions if name in ("create", "start", "die", "destroy")]
    assert order == ["create", "start", "die", "destroy"]
    client.events(decode=True).close()


def test_images_are_listed_tagged_committed_and_removed(
    client: docker.DockerClient, api: Any, box: Container
) -> None:
    image = client.images.get("busybox")
    assert image.tag("tagged", "1")
    image.reload()
    assert "tagged:1" in image.tags
    assert image.history()[0]["Id"] == image.id
    client.images.remove("tagged:1")
    box.exec_run("touch /made")
    made = box.commit("committed", "2", message="m", author="a", changes=['CMD ["ls"]'])
    assert made.attrs["Config"]["Cmd"] == ["ls"]
    assert made.labels == {}
    data = b"".join(made.save(named=True))
    client.images.remove("committed:2")
    assert [item.tags for item in client.images.load(data)] == [["committed:2"]]
    client.images.remove("committed:2")
    with pytest.raises(ImageNotFound):
        client.images.get("committed:2")
    assert b"".join(api.get_image("busybox"))[:5]
    assert api.images(quiet=True)
    assert client.images.prune(filters={"dangling": True})["SpaceReclaimed"] >= 0
    assert client.images.prune_builds()["SpaceReclaimed"] == 0


def test_images_are_imported_from_every_source(
    client: docker.DockerClient, api: Any, engine: Engine, tmp_path: Any
) -> None:
    data = busybox_archive()
    path = tmp_path / "root.tar"
    path.write_bytes(data)
    for name, make in (
        ("data", lambda: api.import_image_from_data(data, "imported", "data")),
        ("stream", lambda: api.import_image_from_stream(iter([data]), "imported", "stream")),
        ("file", lambda: api.import_image_from_file(str(path), "imported", "file")),
        ("any", lambda: api.import_image(src=str(path), repository="imported", tag="any")),
    ):
        assert "sha256:" in make(), name
        client.images.remove(f"imported:{name}")
    with pytest.raises((APIError, requests.RequestException)):
        api.import_image_from_url("http://127.0.0.1:1/x.tar", "imported")
    with pytest.raises(APIError, match="connection refused"):
        api.import_image_from_image("127.0.0.1:1/none", "imported")


@needs_program("docker-registry")
def test_images_go_to_a_registry_and_come_back(client: docker.DockerClient, api: Any) -> None:
    with Registry(password=True) as registry:
        name = f"{registry.address}/pushed"
        given = {"username": USER, "password": PASSWORD}
        assert client.login(**given, registry=registry.address)["Status"] == "Login Succeeded"
        client.images.get("busybox").tag(name, "1")
        lines = list(client.images.push(name, "1", stream=True, decode=True, auth_config=given))
        assert not [line for line in lines if "error" in line]
        client.images.remove(f"{name}:1")
        assert f"{name}:1" in client.images.pull(name, "1", auth_config=given).tags
        data = client.images.get_registry_data(f"{name}:1", auth_config=given)
        assert data.id.startswith("sha256:")
        assert data.has_platform("linux/amd64"), data.attrs
        client.images.remove(f"{name}:1")
        with pytest.raises(APIError):
            client.images.pull(name, "1", auth_config={**given, "password": "wrong"})
    with pytest.raises(APIError):
        api.search("127.0.0.1:1/thing")


def test_secrets_are_kept_without_a_swarm(client: docker.DockerClient, api: Any) -> None:
    made = client.secrets.create(name="word", data=b"hidden", labels={"a": "b"})
    assert client.secrets.get(made.id).name == "word"
    assert [item.name for item in client.secrets.list()] == ["word"]
    assert "Data" not in api.inspect_secret(made.id)["Spec"]
    made.remove()


def test_a_container_is_made_of_hand_written_parts(api: Any) -> None:
    endpoint = api.create_endpoint_config()
    made = api.create_container(
        "busybox", "true", host_config=api.create_host_config(mem_limit="64m"),
        networking_config=api.create_networking_config({"bridge": endpoint}),
    )  # fmt: skip
    api.start(made)
    assert api.wait(made)["StatusCode"] == 0
    api.remove_container(made)


def test_links_and_prune(client: docker.DockerClient, api: Any, box: Container) -> None:
    linked = client.containers.create("busybox", "true", links={box.name: "near"})
    api.remove_container(f"{linked.name}/near", link=True)
    linked.reload()
    assert not linked.attrs["HostConfig"]["Links"]
    assert linked.id in client.containers.prune()["ContainersDeleted"]


@pytest.mark.parametrize("method", sorted(UNOFFERED))
def test_what_is_not_offered_says_so(api: Any, method: str) -> None:
    status, call = UNOFFERED[method]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        getattr(api, method)
        with pytest.raises(APIError) as refused:
            call(api)
    assert refused.value.status_code == status
    assert refused.value.explanation


def test_every_method_of_the_client_was_called(request: pytest.FixtureRequest) -> None:
    if len(request.session.items) < 40:
        pytest.skip("needs the other tests of this file in the same run")
    public = {name for name in dir(docker.APIClient) if re.match(r"[a-z]", name)}
    local = {"create_swarm_spec"}  # makes a value for init_swarm and asks no engine
    own = {name for name in public - set(dir(requests.Session))
           if callable(getattr(docker.APIClient, name))}  # fmt: skip
    assert own - called - local == set()
