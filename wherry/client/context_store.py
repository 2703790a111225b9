"""The contexts kept below the configuration: a `meta.json` each, and TLS files beside it.

The layout is docker's, DIGEST being the name's SHA-256: `contexts/meta/DIGEST/meta.json` and
`contexts/tls/DIGEST/ENDPOINT/ca.pem`.
"""

from __future__ import annotations

import os

from wherry.client.contexts import DEFAULT_CONTEXT, TLS_FILES
from wherry.client.errors import ClientError
from wherry.client.json_text import dumps, loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

NAME_PATTERN = "^[a-zA-Z0-9][a-zA-Z0-9_.+-]+$"
_MAX_ARCHIVE = 10 << 20
_IN_MEMORY = "<IN MEMORY>"


def check_name(name: str) -> None:
    """Raises ClientError for a name that no context may have."""
    import re

    if not name:
        raise ClientError("context name cannot be empty")
    if name == DEFAULT_CONTEXT:
        raise ClientError('"default" is a reserved context name')
    if not re.fullmatch(NAME_PATTERN.strip("^$"), name, re.ASCII):
        raise ClientError(
            f'context name "{name}" is invalid, names are validated against regexp "{NAME_PATTERN}"'
        )


class ContextStore:
    """All contexts of one configuration directory."""

    def __init__(self, directory: str) -> None:
        self._root = os.path.join(directory, "contexts")

    def meta_path(self, name: str) -> str:
        """The directory of a context's `meta.json`."""
        return os.path.join(self._root, "meta", _digest(name))

    def tls_path(self, name: str) -> str:
        """The directory below which a context's TLS files are, by endpoint."""
        return os.path.join(self._root, "tls", _digest(name))

    def names(self) -> list[str]:
        """The names of the stored contexts, sorted."""
        try:
            digests = os.listdir(os.path.join(self._root, "meta"))
        except OSError:
            return []
        found = []
        for digest in digests:
            try:
                with open(os.path.join(self._root, "meta", digest, "meta.json"), "rb") as file:
                    found.append(str(loads(file.read())["Name"]))
            except (OSError, ClientError, KeyError, TypeError):
                continue
        return sorted(found)

    def load(self, name: str) -> dict[str, Any]:
        """A context's metadata; raises ClientError where there is none."""
        path = os.path.join(self.meta_path(name), "meta.json")
        try:
            with open(path, "rb") as file:
                meta = loads(file.read())
        except OSError as error:
            raise ClientError(
                f'context "{name}": context not found: open {path}: '
                f"{(error.strerror or '').lower()}"
            ) from error
        if not isinstance(meta, dict):
            raise ClientError(f'context "{name}": {path} is not an object')
        return meta

    def exists(self, name: str) -> bool:
        """Whether a context of this name is stored."""
        return os.path.exists(os.path.join(self.meta_path(name), "meta.json"))

    def save(self, meta: dict[str, Any], tls: dict[str, bytes] | None = None) -> None:
        """Stores a context whole; `tls` goes from `docker/ca.pem` to a content, None keeps it."""
        name = meta["Name"]
        if tls is not None:
            _remove_tree(self.tls_path(name))
            for path, content in tls.items():
                _write(os.path.join(self.tls_path(name), path), content, 0o600)
        target = os.path.join(self.meta_path(name), "meta.json")
        _write(target, dumps(meta).encode(), 0o644)

    def remove(self, name: str) -> None:
        """Removes a context and its TLS files."""
        _remove_tree(self.meta_path(name))
        _remove_tree(self.tls_path(name))

    def tls_files(self, name: str) -> dict[str, list[str]]:
        """The names of the TLS files by endpoint."""
        root = self.tls_path(name)
        if not os.path.isdir(root):
            return {}
        return {
            endpoint: [
                file for file in TLS_FILES if os.path.exists(os.path.join(root, endpoint, file))
            ]
            for endpoint in sorted(os.listdir(root))
        }

    def tls_data(self, name: str) -> dict[str, bytes]:
        """The TLS files' contents by `docker/ca.pem`."""
        found = {}
        for endpoint, files in self.tls_files(name).items():
            for file in files:
                with open(os.path.join(self.tls_path(name), endpoint, file), "rb") as content:
                    found[f"{endpoint}/{file}"] = content.read()
        return found


def _digest(name: str) -> str:
    from hashlib import sha256

    return sha256(name.encode()).hexdigest()


def _remove_tree(path: str) -> None:
    from shutil import rmtree

    rmtree(path, ignore_errors=True)


def inspected(store: ContextStore | None, meta: dict[str, Any]) -> dict[str, Any]:
    """What `context inspect` shows; without a store, of the context that is nowhere stored."""
    name = meta["Name"]
    return {
        "Name": name,
        "Metadata": meta.get("Metadata") or {},
        "Endpoints": meta.get("Endpoints") or {},
        "TLSMaterial": store.tls_files(name) if store else {},
        "Storage": {
            "MetadataPath": store.meta_path(name) if store else _IN_MEMORY,
            "TLSPath": store.tls_path(name) if store else _IN_MEMORY,
        },
    }


def _write(path: str, content: bytes, mode: int) -> None:
    """Writes a file that is only ever whole."""
    os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
    scratch = f"{path}.{os.getpid()}.tmp"
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    os.replace(scratch, path)


def pack(store: ContextStore, name: str) -> bytes:
    """A context as the tar archive that `context export` writes."""
    import io
    import tarfile

    buffer = io.BytesIO()
    files = {f"tls/{path}": content for path, content in store.tls_data(name).items()}
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        meta = dumps(store.load(name)).encode()
        _add(archive, "meta.json", meta, 0o644)
        folders = sorted({os.path.dirname(path) for path in files} | ({"tls"} if files else set()))
        for folder in folders:
            entry = tarfile.TarInfo(f"{folder}/")
            entry.type, entry.mode = tarfile.DIRTYPE, 0o700
            archive.addfile(entry)
        for path, content in files.items():
            _add(archive, path, content, 0o600)
    return buffer.getvalue()


def _add(archive: Any, path: str, content: bytes, mode: int) -> None:
    import io
    import tarfile

    entry = tarfile.TarInfo(path)
    entry.size, entry.mode = len(content), mode
    archive.addfile(entry, io.BytesIO(content))


def unpack(data: bytes) -> tuple[dict[str, Any], dict[str, bytes]]:
    """(metadata, TLS files) from an exported archive, tar or zip; raises ClientError."""
    meta: dict[str, Any] | None = None
    tls: dict[str, bytes] = {}
    for path, content in (_zip_members if data[:2] == b"PK" else _tar_members)(data):
        parts = path.split("/")
        if path == "meta.json":
            value = loads(content)
            meta = value if isinstance(value, dict) else None
        elif parts[0] == "tls" and len(parts) == 3 and parts[2] in TLS_FILES and parts[1].isalnum():
            tls["/".join(parts[1:])] = content
        else:
            raise ClientError(f"invalid context: unexpected context file {path}")
    if meta is None:
        raise ClientError("invalid context: no metadata found")
    return meta, tls


def _tar_members(data: bytes) -> list[tuple[str, bytes]]:
    import io
    import tarfile

    found: list[tuple[str, bytes]] = []
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
            for entry in archive:
                content = archive.extractfile(entry) if entry.isfile() else None
                if content is not None and entry.size <= _MAX_ARCHIVE:
                    found.append((entry.name, content.read()))
    except tarfile.TarError:
        pass  # docker's archives lack their end: what was read before it counts
    return found


def _zip_members(data: bytes) -> list[tuple[str, bytes]]:
    import io
    import zipfile

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return [
                (entry.filename, archive.read(entry))
                for entry in archive.infolist()
                if not entry.is_dir() and entry.file_size <= _MAX_ARCHIVE
            ]
    except zipfile.BadZipFile as error:
        raise ClientError(f"invalid context: {error}") from error
