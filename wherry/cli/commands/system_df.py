"""`wherry system df`."""

from __future__ import annotations

from wherry.cli import container_fields, image_fields, volume_fields
from wherry.cli.image_fields import image_rows
from wherry.cli.listing import Listing, Row
from wherry.cli.option_texts import FORMAT_LIST_HELP
from wherry.cli.timestamps import go_time
from wherry.cli.units import human_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from wherry.cli.options import Option, Options
    from wherry.cli.session import Session

SYNTAX = "[OPTIONS]"
ALIASES: tuple[str, ...] = ()
OPTIONS: tuple[Option, ...] = (
    ("format", "", "string", FORMAT_LIST_HELP),
    ("verbose", "v", "bool", "Show detailed information on space usage"),
)
ARGUMENTS = (0, 0)


_FIELDS = {
    "Type": ("TYPE", lambda item, trunc: str(item["Type"])),
    "TotalCount": ("TOTAL", lambda item, trunc: str(item["TotalCount"])),
    "Active": ("ACTIVE", lambda item, trunc: str(item["Active"])),
    "Size": ("SIZE", lambda item, trunc: human_size(item["Size"])),
    "Reclaimable": ("RECLAIMABLE", lambda item, trunc: _reclaimable(item)),
}


def run(session: Session, options: Options, operands: list[str]) -> int:
    """Shows what images, containers, volumes and build caches take on the disk."""
    usage = session.client.get("/system/df") or {}
    template = options.text("format")
    if options.flag("verbose"):
        session.out(_templated(usage, template) if template else _verbose(usage))
        return 0
    listing = Listing(
        _FIELDS,
        tuple(_FIELDS),
        template=template,
        type_name="*formatter.diskUsageContext",
        raw=(
            "type: Type",
            "total: TotalCount",
            "active: Active",
            "size: Size",
            "reclaimable: Reclaimable",
        ),
    )
    rows = [_images(usage), _containers(usage), _volumes(usage), _caches(usage)]
    session.out(listing.render(rows))
    return 0


def _reclaimable(item: Any) -> str:
    text = human_size(item["Reclaimable"])
    if item["Type"] != "Build Cache" and item["Size"] > 0:
        text += f" ({int(item['Reclaimable'] * 100 / item['Size'])}%)"
    return text


def _row(kind: str, items: list[Any], active: int, size: int, used: int) -> dict[str, Any]:
    return {
        "Type": kind,
        "TotalCount": len(items),
        "Active": active,
        "Size": size,
        "Reclaimable": size - used,
    }


def _images(usage: dict[str, Any]) -> dict[str, Any]:
    images = usage.get("Images") or []
    used = [image for image in images if image.get("Containers", 0) > 0]
    own = sum(_own_size(image) for image in used)
    return _row("Images", images, len(used), usage.get("LayersSize") or 0, own)


def _own_size(image: dict[str, Any]) -> int:
    size, shared = int(image.get("Size", -1)), int(image.get("SharedSize", -1))
    return 0 if -1 in (size, shared) else size - shared


def _containers(usage: dict[str, Any]) -> dict[str, Any]:
    items = usage.get("Containers") or []
    alive = [item for item in items if item.get("State") in ("running", "paused", "restarting")]
    size = sum(item.get("SizeRw") or 0 for item in items)
    return _row(
        "Containers", items, len(alive), size, sum(item.get("SizeRw") or 0 for item in alive)
    )


def _volumes(usage: dict[str, Any]) -> dict[str, Any]:
    items = usage.get("Volumes") or []
    known = [item["UsageData"] for item in items if item.get("UsageData")]
    sized = [data for data in known if data.get("Size", -1) != -1]
    used = sum(data["Size"] for data in sized if data.get("RefCount", 0) > 0)
    active = sum(1 for data in known if data.get("RefCount", 0) > 0)
    return _row("Local Volumes", items, active, sum(data["Size"] for data in sized), used)


def _caches(usage: dict[str, Any]) -> dict[str, Any]:
    items = usage.get("BuildCache") or []
    size = sum(item.get("Size") or 0 for item in items if not item.get("Shared"))
    used = sum(
        item.get("Size") or 0 for item in items if item.get("InUse") and not item.get("Shared")
    )
    active = sum(1 for item in items if item.get("InUse"))
    return _row("Build Cache", items, active, size, used)


def _verbose(usage: dict[str, Any]) -> str:
    images = Listing(
        image_fields.FIELDS,
        (
            "Repository",
            "Tag",
            "ID",
            "CreatedSince",
            "Size",
            "SharedSize",
            "UniqueSize",
            "Containers",
        ),
    ).render(_first_names(usage))
    containers = Listing(
        container_fields.FIELDS,
        ("ID", "Image", "Command", "LocalVolumes", "Size", "RunningFor", "Status", "Names"),
    ).render(_own_sizes(usage))
    volumes = Listing(volume_fields.VOLUME_FIELDS, ("Name", "Links", "Size")).render(
        usage.get("Volumes") or ()
    )
    size = human_size(_caches(usage)["Size"])
    caches = Listing(_CACHE_FIELDS, _CACHE_COLUMNS).render(usage.get("BuildCache") or ())
    return (
        f"Images space usage:\n\n{images}\nContainers space usage:\n\n{containers}\n"
        f"Local Volumes space usage:\n\n{volumes}\nBuild cache usage: {size}\n\n{caches}"
        f"{_data_root(usage.get('DataRoot'))}"
    )


_PARTS = {
    "Layers": "layers of images",
    "Archives": "compressed layers, as pushed",
    "Writable": "what containers wrote",
    "Logs": "logs",
    "ContainerFiles": "other files of containers",
    "Volumes": "volumes",
    "Partial": "unfinished downloads",
    "Scratch": "unfinished work",
    "Records": "records of the engine",
    "Other": "other files",
}
"""What Wherry tells of its data root, which docker does not have."""


def _data_root(account: dict[str, Any] | None) -> str:
    """All below the data root by its kind, and what belongs to nothing; empty if not told."""
    if not account:
        return ""
    from wherry.cli.tabwriter import align

    parts = [f"{text}\t{human_size(account.get(name, 0))}" for name, text in _PARTS.items()]
    table = align("\n".join(["CONTENT\tSIZE", *parts]))
    text = f"\nData root usage: {human_size(account['Size'])} in {account['Path']}\n\n{table}\n"
    orphans = account.get("Orphans") or ()
    if orphans:
        lines = [f"{orphan['Path']}\t{human_size(orphan['Size'])}" for orphan in orphans]
        text += "\n" + align("\n".join(["BELONGS TO NOTHING\tSIZE", *lines])) + "\n"
    return text


class _Details:
    """What `--verbose` knows, as a template sees it: four lists of objects."""

    type_name = "*formatter.fullDiskUsageContext"
    escapes_html = True

    def __init__(self, usage: dict[str, Any]) -> None:
        views = (
            ("Images", image_fields.FIELDS, _first_names(usage)),
            ("Containers", container_fields.FIELDS, _own_sizes(usage)),
            ("Volumes", volume_fields.VOLUME_FIELDS, usage.get("Volumes") or ()),
            ("BuildCache", _CACHE_FIELDS, usage.get("BuildCache") or ()),
        )
        self._rows = {
            name: [Row(fields, item, False, self.type_name) for item in items]
            for name, fields, items in views
        }

    def template_field(self, name: str, arguments: Sequence[Any]) -> list[Row]:
        """The list of that name; KeyError where there is none."""
        return self._rows[name]

    def as_json(self) -> dict[str, list[dict[str, Any]]]:
        """All of it."""
        return {name: [row.as_json() for row in rows] for name, rows in self._rows.items()}


def _templated(usage: dict[str, Any], source: str) -> str:
    from wherry.cli.template import Template

    return Template("{{json .}}" if source == "json" else source).execute(_Details(usage))


def _first_names(usage: dict[str, Any]) -> list[dict[str, Any]]:
    """One row for each image, under its first name."""
    return [{**image_rows([image], False)[0], "digest": ""} for image in usage.get("Images") or ()]


def _own_sizes(usage: dict[str, Any]) -> list[dict[str, Any]]:
    """The containers without what they share with their images."""
    return [{**item, "SizeRootFs": 0} for item in usage.get("Containers") or ()]


def _time(text: str | None) -> str:
    return go_time(text) if text else ""


_CACHE_COLUMNS = (
    "ID",
    "CacheType",
    "Size",
    "CreatedSince",
    "LastUsedSince",
    "UsageCount",
    "Shared",
)
_CACHE_FIELDS = {
    "ID": ("CACHE ID", lambda item, trunc: str(item["ID"])[: 12 if trunc else None]),
    "CacheType": ("CACHE TYPE", lambda item, trunc: str(item.get("Type") or "")),
    "Size": ("SIZE", lambda item, trunc: human_size(item.get("Size") or 0, 3)),
    "CreatedSince": ("CREATED", lambda item, trunc: _ago(item.get("CreatedAt"))),
    "LastUsedSince": ("LAST USED", lambda item, trunc: _ago(item.get("LastUsedAt"))),
    "UsageCount": ("USAGE", lambda item, trunc: str(item.get("UsageCount") or 0)),
    "Shared": ("SHARED", lambda item, trunc: "true" if item.get("Shared") else "false"),
    "InUse": ("IN USE", lambda item, trunc: "true" if item.get("InUse") else "false"),
    "Parent": ("PARENT", lambda item, trunc: str(item.get("Parent") or "")),
    "Description": ("DESCRIPTION", lambda item, trunc: str(item.get("Description") or "")),
    "CreatedAt": ("CREATED AT", lambda item, trunc: go_time(str(item.get("CreatedAt") or ""))),
    "LastUsedAt": ("LAST USED AT", lambda item, trunc: _time(item.get("LastUsedAt"))),
}


def _ago(text: str | None) -> str:
    from wherry.cli.timestamps import ago, parse_rfc3339

    return ago(parse_rfc3339(text)) if text else ""
