"""Images made by hand: layers entry by entry, OCI layouts around them."""

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar"


def digest(data: bytes) -> str:
    """The sha256 digest of bytes."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def entry(name: str, data: bytes | None = None, **fields: Any) -> tuple[tarfile.TarInfo, bytes]:
    """A member: a file with data, else what `type` says, a directory without it.

    `xattrs` are extended attributes; `mtime` may be a string with a fraction.
    """
    member = tarfile.TarInfo(name)
    member.type = fields.pop("type", tarfile.DIRTYPE if data is None else tarfile.REGTYPE)
    member.mode = fields.pop("mode", 0o755 if data is None else 0o644)
    member.size = len(data or b"")
    headers = {f"SCHILY.xattr.{key}": value.decode("utf-8", "surrogateescape")
               for key, value in fields.pop("xattrs", {}).items()}  # fmt: skip
    exact = fields.pop("mtime", "1600000000.123456789")
    member.mtime = int(exact.partition(".")[0])
    headers["mtime"] = exact
    member.pax_headers = headers
    for key, value in fields.items():
        setattr(member, key, value)
    return member, data or b""


def link(name: str, target: str, *, hard: bool = False) -> tuple[tarfile.TarInfo, bytes]:
    """A symbolic or a hard link."""
    kind = tarfile.LNKTYPE if hard else tarfile.SYMTYPE
    return entry(name, type=kind, linkname=target, mode=0o777)


def layer(*entries: tuple[tarfile.TarInfo, bytes]) -> bytes:
    """An uncompressed layer."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for member, data in entries:
            archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def squeeze(data: bytes) -> bytes:
    """gzip without a time in it, so that the digest stays."""
    return gzip.compress(data, 1, mtime=0)


class Layout:
    """An OCI layout in memory, to be written as a directory or as an archive."""

    def __init__(self) -> None:
        self.blobs: dict[str, bytes] = {}
        self.manifests: list[dict[str, Any]] = []

    def add(self, data: bytes, media_type: str) -> dict[str, Any]:
        """Adds a blob; returns its descriptor."""
        name = digest(data)
        self.blobs[name] = data
        return {"mediaType": media_type, "digest": name, "size": len(data)}

    def image(
        self, layers: Sequence[bytes], *, compress: Callable[[bytes], bytes] = squeeze,
        suffix: str = "+gzip", architecture: str = "amd64", config: dict[str, Any] | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """Adds an image of uncompressed layers; returns the descriptor of its manifest."""
        document = {
            "architecture": architecture, "os": "linux", "config": config or {"Cmd": ["sh"]},
            "rootfs": {"type": "layers", "diff_ids": [digest(data) for data in layers]},
            "history": [{"created": "2020-01-01T00:00:00Z", "created_by": f"layer {number}"}
                        for number, _ in enumerate(layers)],
        }  # fmt: skip
        manifest = {
            "schemaVersion": 2, "mediaType": OCI_MANIFEST,
            "config": self.add(json.dumps(document).encode(), OCI_CONFIG),
            "layers": [self.add(compress(data), OCI_LAYER + suffix) for data in layers],
        }  # fmt: skip
        described = self.add(json.dumps(manifest).encode(), OCI_MANIFEST)
        return {**described, "platform": {"architecture": architecture, "os": "linux"}}

    def index(self, manifests: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """Adds an index of manifests; returns its descriptor."""
        document = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": list(manifests)}
        return self.add(json.dumps(document).encode(), OCI_INDEX)

    def name(self, descriptor: dict[str, Any], tag: str) -> None:
        """Gives a manifest a name in the layout's own index."""
        notes = {"org.opencontainers.image.ref.name": tag}
        self.manifests.append({**descriptor, "annotations": notes})

    def files(self) -> dict[str, bytes]:
        """The layout's files by path."""
        index = {"schemaVersion": 2, "manifests": self.manifests}
        blobs = {f"blobs/{key.replace(':', '/')}": data for key, data in self.blobs.items()}
        return {"oci-layout": b'{"imageLayoutVersion":"1.0.0"}',
                "index.json": json.dumps(index).encode(), **blobs}  # fmt: skip

    def write(self, directory: Path) -> Path:
        """Writes the layout; returns its directory."""
        for name, data in self.files().items():
            (directory / name).parent.mkdir(parents=True, exist_ok=True)
            (directory / name).write_bytes(data)
        return directory

    def archive(self) -> bytes:
        """The layout as a tar."""
        return layer(*(entry(name, data) for name, data in self.files().items()))


def docker_archive(layers: Sequence[bytes], tags: Sequence[str], **replaced: Any) -> bytes:
    """What `docker save` writes; `replaced` are files with other content than is right."""
    config = json.dumps({
        "architecture": "amd64", "os": "linux", "config": {"Cmd": ["sh"]},
        "rootfs": {"type": "layers", "diff_ids": [digest(data) for data in layers]},
    }).encode()  # fmt: skip
    manifest = [{"Config": "config.json", "RepoTags": list(tags),
                 "Layers": [f"{number}.tar" for number, _ in enumerate(layers)]}]  # fmt: skip
    files: dict[str, bytes] = {"config.json": config,
                               "manifest.json": json.dumps(manifest).encode()}  # fmt: skip
    files |= {f"{number}.tar": data for number, data in enumerate(layers)}
    return layer(*(entry(name, data) for name, data in {**files, **replaced}.items()))
