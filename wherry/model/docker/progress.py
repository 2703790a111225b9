"""Progress as Docker's clients print it."""

from typing import Any

_WIDTH = 50
_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")


def human_size(size: float) -> str:
    """A size with four digits and a decimal unit, as docker/go-units' HumanSize."""
    unit = 0
    while size >= 1000 and unit < len(_UNITS) - 1:
        size /= 1000
        unit += 1
    return f"{size:.4g}{_UNITS[unit]}"


def moving(status: str, identifier: str, current: int, total: int) -> dict[str, Any]:
    """A progress object of a layer on its way, with the bar that old clients print."""
    done = min(current * _WIDTH // total, _WIDTH) if total > 0 else 0
    bar = f"[{'=' * done}>{' ' * (_WIDTH - done)}] " if total > 0 else ""
    numbers = human_size(current).rjust(8)
    if total > 0 and current <= total:
        numbers += f"/{human_size(total)}"
    return {
        "status": status, "progressDetail": {"current": current, "total": total},
        "progress": bar + numbers, "id": identifier,
    }  # fmt: skip


def standing(status: str, identifier: str) -> dict[str, Any]:
    """A progress object of a layer that has come to a new state."""
    return {"status": status, "progressDetail": {}, "id": identifier}
