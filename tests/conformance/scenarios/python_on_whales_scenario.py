"""What a program does with python-on-whales, which drives the docker command line."""

import sys
from pathlib import Path

from python_on_whales import DockerClient, DockerException

docker = DockerClient(host=sys.argv[1])
scratch = Path(sys.argv[2])

with docker.run("busybox", ["sleep", "1000"], detach=True, name="whale", labels={"a": "b"},
                memory="64m") as whale:  # fmt: skip
    print("state:", whale.state.status, whale.host_config.memory)
    print("exec:", whale.execute(["echo", "hello"]))
    (scratch / "in").write_text("copied")
    docker.copy(scratch / "in", (whale, "/tmp/in"))
    docker.copy((whale, "/tmp/in"), scratch / "out")
    print("copy:", (scratch / "out").read_text())
    print("listed:", [c.name for c in docker.container.list(filters={"label": "a=b"})])
    whale.pause()
    whale.reload()
    print("paused:", whale.state.paused)
    whale.unpause()
    image = whale.commit(tag="whale:committed")
    print("image:", image.repo_tags)
    image.remove()
volume = docker.volume.create("whale-data", labels={"tier": "db"})
docker.run("busybox", ["sh", "-c", "echo kept >/d/f"], volumes=[(volume, "/d")], remove=True)
print("volume:", docker.run("busybox", ["cat", "/d/f"], volumes=[(volume, "/d")], remove=True))
volume.remove()
network = docker.network.create("whale-net")
print("network:", network.driver, network.name)
network.remove()
try:
    docker.run("busybox", ["sh", "-c", "echo bad >&2; exit 7"], remove=True)
except DockerException as error:
    print("error:", error.return_code)
print("info:", docker.system.info().driver)
