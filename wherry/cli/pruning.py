"""What the prune commands do, each for its own and `system prune` for all."""

from __future__ import annotations

from wherry.cli.filters import filter_query, prune_filters

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from wherry.cli.session import Session


def _query(session: Session, filters: Iterable[str], *extra: str) -> dict[str, str]:
    configured = session.config.content.get("pruneFilters") or []
    return filter_query([*prune_filters(filters, configured), *extra])


def prune_containers(session: Session, filters: Iterable[str]) -> tuple[int, str]:
    """Removes stopped containers; (bytes reclaimed, text)."""
    answer = session.client.post("/containers/prune", _query(session, filters)) or {}
    deleted = answer.get("ContainersDeleted") or ()
    if not deleted:
        return 0, ""
    text = "Deleted Containers:\n" + "".join(f"{identity}\n" for identity in deleted)
    return int(answer.get("SpaceReclaimed") or 0), text


def prune_networks(session: Session, filters: Iterable[str]) -> tuple[int, str]:
    """Removes networks that nothing uses; (0, text)."""
    answer = session.client.post("/networks/prune", _query(session, filters)) or {}
    deleted = answer.get("NetworksDeleted") or ()
    if not deleted:
        return 0, ""
    return 0, "Deleted Networks:\n" + "".join(f"{name}\n" for name in deleted)


def prune_volumes(session: Session, filters: Iterable[str], every: bool) -> tuple[int, str]:
    """Removes volumes that nothing uses, anonymous ones unless all are asked for."""
    extra = ("all=true",) if every and session.client.version_key >= (1, 42) else ()
    answer = session.client.post("/volumes/prune", _query(session, filters, *extra)) or {}
    deleted = answer.get("VolumesDeleted") or ()
    if not deleted:
        return 0, ""
    text = "Deleted Volumes:\n" + "".join(f"{name}\n" for name in deleted)
    return int(answer.get("SpaceReclaimed") or 0), text


def prune_build_cache(
    session: Session, filters: Iterable[str], every: bool, keep: int = 0
) -> tuple[int, str]:
    """Removes what builds left behind and nothing uses; (bytes reclaimed, text)."""
    query = filter_query(filters)
    if every:
        query["all"] = "1"
    if keep:
        query["keep-storage"] = str(keep)
    answer = session.client.post("/build/prune", query) or {}
    deleted = answer.get("CachesDeleted") or ()
    text = "Deleted build cache objects:\n" + "".join(f"{name}\n" for name in deleted)
    return int(answer.get("SpaceReclaimed") or 0), text if deleted else ""


def prune_images(session: Session, filters: Iterable[str], every: bool) -> tuple[int, str]:
    """Removes dangling images, or all that no container uses."""
    dangling = f"dangling={'false' if every else 'true'}"
    answer = session.client.post("/images/prune", _query(session, filters, dangling)) or {}
    deleted = answer.get("ImagesDeleted") or ()
    if not deleted:
        return 0, ""
    lines = [
        f"untagged: {entry['Untagged']}\n"
        if entry.get("Untagged")
        else f"deleted: {entry.get('Deleted', '')}\n"
        for entry in deleted
    ]
    return int(answer.get("SpaceReclaimed") or 0), "Deleted Images:\n" + "".join(lines)
