"""Mounts of a container: words of binds and mounts into settled mount points."""

import posixpath
from collections.abc import Iterable
from pathlib import Path

import msgspec

from wherry.base.errors import InvalidParameter, NotFound, NotSupported
from wherry.engine.containers.container import MountPoint
from wherry.engine.containers.index import ContainerIndex
from wherry.engine.secrets.state import SecretState
from wherry.engine.volumes.state import VolumeState
from wherry.images.catalog import ImageCatalog
from wherry.model.docker.container import (
    ContainerConfig,
    HostConfig,
    MountRequest,
    SecretOptions,
    VolumeOptions,
)

_PROPAGATION = ("private", "rprivate", "slave", "rslave", "shared", "rshared")
_TMPFS_KEYS = frozenset({"size", "mode", "uid", "gid", "nr_inodes", "nr_blocks", "mpol"})
_TMPFS_FLAGS = frozenset({
    "defaults", "ro", "rw", "suid", "nosuid", "dev", "nodev", "exec", "noexec", "sync", "async",
    "dirsync", "remount", "mand", "nomand", "atime", "noatime", "diratime", "nodiratime",
    "relatime", "norelatime", "strictatime", "nostrictatime", "bind", "rbind", "private",
    "rprivate", "shared", "rshared", "slave", "rslave", "unbindable", "runbindable",
})  # fmt: skip
_TMPFS_OPTIONS = ("exec", "noexec", "suid", "nosuid", "dev", "nodev", "atime", "noatime")
_MODES = {"ro", "rw", "z", "Z", "nocopy", "copy", "consistent", "cached", "delegated",
          *_PROPAGATION}  # fmt: skip


def parse_bind(text: str) -> MountPoint:
    """A `-v` word: `[source:]target[:options]`; raises InvalidParameter in dockerd's words."""
    parts = text.split(":")
    if len(parts) > 3 or not all(parts[:2]):
        raise InvalidParameter(f"invalid volume specification: '{text}'")
    if len(parts) == 1:
        source, target, words = "", parts[0], []
    else:
        source, target = parts[0], parts[1]
        words = parts[2].split(",") if len(parts) == 3 else []
    _check_target("bind" if source.startswith("/") else "volume", target, text)
    unknown = [word for word in words if word not in _MODES]
    if unknown or {"ro", "rw"} <= set(words):
        raise InvalidParameter(f"invalid mode: {parts[2]}")
    propagation = next((word for word in words if word in _PROPAGATION), "")
    writable = "ro" not in words
    if source.startswith("/"):
        return MountPoint(
            "bind", posixpath.normpath(target), posixpath.normpath(source),
            mode=",".join(words), read_write=writable, propagation=propagation or "rprivate",
        )  # fmt: skip
    if propagation:
        raise InvalidParameter(f"invalid volume specification: '{text}'")
    if source and not _is_volume_name(source):
        raise InvalidParameter(
            f'create {source}: "{source}" includes invalid characters for a local volume name, '
            'only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host '
            "directory, use absolute path"
        )
    return MountPoint(
        "volume", posixpath.normpath(target), volume=source, mode=",".join(words) or "z",
        read_write=writable, copy_up="nocopy" not in words,
    )  # fmt: skip


def _is_volume_name(name: str) -> bool:
    allowed = name.replace("_", "").replace(".", "").replace("-", "")
    return len(name) > 1 and name[0].isalnum() and allowed.isalnum() and allowed.isascii()


def _check_target(kind: str, target: str, text: str) -> None:
    if not target.startswith("/"):
        raise InvalidParameter(
            f"invalid volume specification: '{text}': invalid mount config for type \"{kind}\": "
            f"invalid mount path: '{target}' mount path must be absolute"
        )
    if posixpath.normpath(target) == "/":
        raise InvalidParameter(
            f"invalid volume specification: '{text}': invalid mount config: destination can't be "
            "'/'"
        )


def parse_mount(request: MountRequest) -> MountPoint:
    """A `--mount` value; raises InvalidParameter in dockerd's words."""
    kind = request.type
    if not request.target:
        raise InvalidParameter(
            f'invalid mount config for type "{kind}": field Target must not be empty'
        )
    target = posixpath.normpath(request.target)
    if not target.startswith("/"):
        raise InvalidParameter(
            f'invalid mount config for type "{kind}": invalid mount path: '
            f"'{request.target}' mount path must be absolute"
        )
    if kind == "bind":
        return _parse_bind_mount(request, target)
    if kind == "volume":
        options = request.volume_options
        if options and options.subpath and not request.source:
            raise InvalidParameter(
                f'invalid mount config for type "{kind}": must not set Subpath when using '
                "anonymous volumes"
            )
        return MountPoint(
            "volume", target, volume=request.source, mode="z", read_write=not request.read_only,
            copy_up=not (options and options.no_copy),
            subpath=_within(kind, options.subpath if options else ""),
        )  # fmt: skip
    if kind == "tmpfs":
        if request.source:
            raise InvalidParameter('invalid mount config for type "tmpfs": field Source must not '
                                   "be specified")  # fmt: skip
        settings = request.tmpfs_options
        words = ["nosuid", "nodev", "noexec"]
        if settings and settings.size_bytes:
            words.append(f"size={settings.size_bytes}")
        words.append(f"mode={settings.mode if settings and settings.mode else 0o1777:o}")
        for option in (settings.options if settings else None) or ():
            words = _with_tmpfs_option(words, option)
        return MountPoint("tmpfs", target, read_write=not request.read_only, options=tuple(words))
    if kind == "image":
        return _parse_image_mount(request, target)
    if kind == "secret":
        return _parse_secret_mount(request, target)
    if kind in ("npipe", "cluster"):
        raise NotSupported(f"mounts of type {kind} are not supported")
    raise InvalidParameter(f'invalid mount config for type "{kind}": mount type unknown')


def _within(kind: str, subpath: str) -> str:
    """A part of a volume or an image; raises InvalidParameter for one that leads out of it."""
    normal = posixpath.normpath(subpath)
    if normal.startswith("/") or normal.split("/")[0] == "..":
        raise InvalidParameter(
            f'invalid mount config for type "{kind}": subpath must be a relative path within the '
            f"{kind}"
        )
    return subpath


def _parse_image_mount(request: MountRequest, target: str) -> MountPoint:
    prefix = 'invalid mount config for type "image"'
    if not request.source:
        raise InvalidParameter(f"{prefix}: field Source must not be empty")
    subpath = _within("image", request.image_options.subpath if request.image_options else "")
    return MountPoint("image", target, request.source, read_write=False, subpath=subpath)


def _parse_secret_mount(request: MountRequest, target: str) -> MountPoint:
    prefix = 'invalid mount config for type "secret"'
    if not request.source:
        raise InvalidParameter(f"{prefix}: field Source must not be empty")
    options = request.secret_options or SecretOptions()
    if not 0 <= options.mode <= 0o777 or not 0 <= options.uid < 1 << 31 or options.gid < 0:
        raise InvalidParameter(f"{prefix}: bad owner or mode in SecretOptions")
    return MountPoint("secret", target, request.source, read_write=False, secret_options=options)


def _with_tmpfs_option(words: list[str], option: list[str]) -> list[str]:
    """Words with one of `tmpfs-options`: a flag such as exec, or a key and its value."""
    if len(option) not in (1, 2):
        raise InvalidParameter("invalid option array length")
    word = "=".join(option)
    if word not in _TMPFS_OPTIONS and option[0] not in ("uid", "gid", "nr_inodes", "nr_blocks"):
        raise InvalidParameter(f'invalid option: "{word}"')
    opposite = word.removeprefix("no") if word.startswith("no") else f"no{word}"
    return [*(item for item in words if item != opposite), word]


def _parse_bind_mount(request: MountRequest, target: str) -> MountPoint:
    prefix = 'invalid mount config for type "bind"'
    if not request.source:
        raise InvalidParameter(f"{prefix}: field Source must not be empty")
    if not request.source.startswith("/"):
        raise InvalidParameter(f"{prefix}: invalid mount path: '{request.source}' mount path must "
                               "be absolute")  # fmt: skip
    options = request.bind_options
    create = bool(options and options.create_mountpoint)
    if not Path(request.source).exists() and not create:
        raise InvalidParameter(f"{prefix}: bind source path does not exist: {request.source}")
    propagation = (options.propagation if options else "") or "rprivate"
    if propagation not in _PROPAGATION:
        raise InvalidParameter(f"{prefix}: invalid propagation mode: {propagation}")
    if options and options.read_only_force_recursive and options.read_only_non_recursive:
        raise InvalidParameter(
            f"{prefix}: ReadOnlyForceRecursive and ReadOnlyNonRecursive are mutually exclusive"
        )
    words: list[str] = []
    if options and options.non_recursive:
        words.append("nonrecursive")
    if request.read_only and not (options and options.read_only_non_recursive):
        words.append("rro")
    return MountPoint(
        "bind", target, posixpath.normpath(request.source), read_write=not request.read_only,
        propagation=propagation, options=tuple(words),
    )  # fmt: skip


def parse_tmpfs(target: str, options: str) -> MountPoint:
    """A `--tmpfs` value; raises InvalidParameter for options that dockerd refuses."""
    if not target.startswith("/"):
        raise InvalidParameter(f"invalid mount path: '{target}' mount path must be absolute")
    if posixpath.normpath(target) in ("/", "//"):
        raise InvalidParameter("invalid specification: destination can't be '/'")
    words = [word for word in options.split(",") if word]
    for word in words:
        key, equals, value = word.partition("=")
        if key not in (_TMPFS_KEYS if equals else _TMPFS_FLAGS):
            shown = f'"{key}" "{value}"' if equals else f'"{key}"'
            raise InvalidParameter(f"invalid tmpfs option [{shown}]")
    plain = ["noexec", "nosuid", "nodev"]
    kept = [word for word in plain if word.removeprefix("no") not in words]
    return MountPoint("tmpfs", posixpath.normpath(target), options=(*kept, *words),
                      read_write="ro" not in words)  # fmt: skip


def make_bind_source(path: str) -> None:
    """Docker makes a missing directory for `-v`; `--mount` was refused at creation."""
    if not Path(path).exists():
        Path(path).mkdir(parents=True, exist_ok=True)


def _wishes(host: HostConfig) -> dict[str, VolumeOptions]:
    """What mounts say of volumes that are made on the way, by target."""
    return {
        posixpath.normpath(request.target): request.volume_options
        for request in host.mounts or ()
        if request.volume_options is not None
    }


class MountResolver:
    """Settles the mounts of a new container: names volumes, makes those that are missing."""

    def __init__(
        self, volumes: VolumeState, index: ContainerIndex, images: ImageCatalog,
        secrets: SecretState,
    ) -> None:  # fmt: skip
        self._volumes = volumes
        self._index = index
        self._images = images
        self._secrets = secrets

    async def settle(
        self, identifier: str, config: ContainerConfig, host: HostConfig
    ) -> tuple[MountPoint, ...]:
        """All mount points by target; raises InvalidParameter for two at one target."""
        found: dict[str, MountPoint] = {}
        for point in self._inherited(host.volumes_from or ()):
            found[point.target] = point
        explicit: set[str] = set()
        wanted = [parse_bind(text) for text in host.binds or ()]
        wanted += [parse_mount(request) for request in host.mounts or ()]
        wanted += [parse_tmpfs(target, text) for target, text in (host.tmpfs or {}).items()]
        for point in wanted:
            if point.target in explicit:
                raise InvalidParameter(f"Duplicate mount point: {point.target}")
            explicit.add(point.target)
            found[point.target] = point
        for target in config.volumes or ():
            path = posixpath.normpath(target)
            if path == "/" or not path.startswith("/"):
                raise InvalidParameter(f"invalid volume specification: '{target}'")
            found.setdefault(path, MountPoint("volume", path, copy_up=True))
        wishes = _wishes(host)
        settled = [
            await self._settled(
                point, identifier, str(number), wishes.get(point.target), host.volume_driver
            )
            for number, point in enumerate(found.values())
        ]
        return tuple(sorted(settled, key=lambda point: point.target.count("/")))

    async def settle_point(
        self, point: MountPoint, identifier: str, mark: str, request: MountRequest
    ) -> MountPoint:
        """One mount of a container that exists; `mark` tells its snapshot from others of it."""
        return await self._settled(point, identifier, mark, request.volume_options, "")

    async def _settled(
        self, point: MountPoint, identifier: str, mark: str, wish: VolumeOptions | None, driver: str
    ) -> MountPoint:
        point = self._with_secret(self._with_image(point, identifier, mark))
        return await self._with_volume(point, identifier, wish, driver)

    def _with_image(self, point: MountPoint, identifier: str, mark: str) -> MountPoint:
        if point.type != "image":
            return point
        image = self._images.get(point.source)
        key = f"{identifier}-image{mark}"
        return msgspec.structs.replace(point, image=image.id, snapshot=key)

    def _with_secret(self, point: MountPoint) -> MountPoint:
        if point.type != "secret":
            return point
        try:
            return msgspec.structs.replace(point, secret=self._secrets.get(point.source).id)
        except NotFound as error:
            # Clients take a 404 of a creation for a missing image, and pull it.
            raise InvalidParameter(f"{error.message}: make it with `secret create`") from None

    async def _with_volume(
        self, point: MountPoint, identifier: str, wish: VolumeOptions | None, driver: str
    ) -> MountPoint:
        if point.type != "volume":
            return point
        if wish and wish.driver_config:
            driver = wish.driver_config.name
        record = await self._volumes.create(
            point.volume,
            driver=driver,
            options=wish.driver_config.options if wish and wish.driver_config else None,
            labels=wish.labels if wish else None,
            unfinished=True,
        )
        self._volumes.reference(record.name, identifier)
        source = str(self._volumes.mountpoint(record.name))
        return msgspec.structs.replace(point, volume=record.name, source=source)

    def _inherited(self, words: Iterable[str]) -> list[MountPoint]:
        found: list[MountPoint] = []
        for word in words:
            reference, _, mode = word.partition(":")
            if mode not in ("", "ro", "rw", "z", "Z"):
                raise InvalidParameter(f"invalid mode: {mode}")
            source = self._index.find(reference)
            if source is None:  # no NotFound: a client would take that for the image's
                raise InvalidParameter(f"No such container: {reference}")
            for point in source.record.mounts:
                writable = point.read_write and mode != "ro"
                found.append(msgspec.structs.replace(point, read_write=writable, copy_up=False))
        return found
