"""Fills an engine with many images and many containers, the same for every engine."""

import hashlib
import io
import json
import tarfile

from bench.engines import CommandLine, Connection

CONTAINERS, IMAGES = 200, 100
_PREFIX = "bench-filling-"


def add_images(client: CommandLine, count: int = IMAGES) -> None:
    """Loads images that share one layer and differ in their configuration."""
    client("load", stdin=_archive(count))


def add_containers(connection: Connection, count: int = CONTAINERS) -> None:
    """Creates containers without starting them."""
    for number in range(count):
        body = {"Image": "busybox", "Cmd": ["true"], "Labels": {"number": str(number)},
                "HostConfig": {"Binds": [f"/tmp:/host{number}"]}}  # fmt: skip
        connection.call("POST", f"/containers/create?name={_PREFIX}{number}", body)


def remove_containers(connection: Connection) -> None:
    """Takes the containers of `add_containers` away."""
    for item in connection.call("GET", "/containers/json?all=1"):
        if item["Names"][0].startswith(f"/{_PREFIX}"):
            connection.call("DELETE", f"/containers/{item['Id']}")


def _archive(count: int) -> bytes:
    """An archive as `docker save` writes it (image specification 1.2)."""
    layer = _tar({"file": b"content"})
    files = {"layer.tar": layer}
    manifest = []
    for number in range(count):
        config = json.dumps({
            "architecture": "amd64", "os": "linux", "created": "2024-01-01T00:00:00Z",
            "config": {"Cmd": ["true"], "Labels": {"number": str(number)}},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{_digest(layer)}"]},
            "history": [{"created": "2024-01-01T00:00:00Z", "created_by": "bench"}],
        }).encode()  # fmt: skip
        name = f"{_digest(config)}.json"
        files[name] = config
        manifest.append({"Config": name, "RepoTags": [f"{_PREFIX}{number}:latest"],
                         "Layers": ["layer.tar"]})  # fmt: skip
    return _tar({**files, "manifest.json": json.dumps(manifest).encode()})


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _tar(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()
