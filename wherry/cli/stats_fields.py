"""How resource usage is computed from /stats and shown (docker/cli `stats_helpers.go`)."""

from __future__ import annotations

from wherry.cli.listing import truncate_id
from wherry.cli.units import bytes_size, human_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

COLUMNS = ("ID", "Name", "CPUPerc", "MemUsage", "MemPerc", "NetIO", "BlockIO", "PIDs")
TYPE_NAME = "*container.statsContext"
NO_VALUE = "--"


def cpu_percent(sample: dict[str, Any]) -> float:
    """Time on CPUs since the sample before, a CPU fully used being 100."""
    now, before = sample.get("cpu_stats") or {}, sample.get("precpu_stats") or {}
    used, used_before = now.get("cpu_usage") or {}, before.get("cpu_usage") or {}
    delta = (used.get("total_usage") or 0) - (used_before.get("total_usage") or 0)
    system = (now.get("system_cpu_usage") or 0) - (before.get("system_cpu_usage") or 0)
    count = now.get("online_cpus") or len(used.get("percpu_usage") or ())
    return delta / system * count * 100.0 if delta > 0 and system > 0 else 0.0


def memory_used(sample: dict[str, Any]) -> int:
    """Memory without the page cache that could be given up at once."""
    memory = sample.get("memory_stats") or {}
    usage = int(memory.get("usage") or 0)
    stats = memory.get("stats") or {}
    inactive = int(stats.get("total_inactive_file", stats.get("inactive_file", 0)) or 0)
    return usage - inactive if inactive < usage else usage


def _limit(sample: dict[str, Any]) -> int:
    return int((sample.get("memory_stats") or {}).get("limit") or 0)


def _network(sample: dict[str, Any]) -> tuple[int, int]:
    links = (sample.get("networks") or {}).values()
    return sum(link["rx_bytes"] for link in links), sum(link["tx_bytes"] for link in links)


def _blocks(sample: dict[str, Any]) -> tuple[int, int]:
    entries = (sample.get("blkio_stats") or {}).get("io_service_bytes_recursive") or ()
    sums = {"r": 0, "w": 0}
    for entry in entries:
        letter = str(entry.get("op") or "")[:1].lower()
        if letter in sums:
            sums[letter] += int(entry["value"])
    return sums["r"], sums["w"]


def _pair(values: tuple[int, int]) -> str:
    return f"{human_size(values[0], 3)} / {human_size(values[1], 3)}"


def _memory_percent(sample: dict[str, Any]) -> float:
    limit = _limit(sample)
    return memory_used(sample) / limit * 100.0 if limit else 0.0


def _identity(item: Any, trunc: bool) -> str:
    identity = str(item["sample"].get("id") or "")
    return truncate_id(identity) if trunc else identity


def _name(item: Any, trunc: bool) -> str:
    return str(item["sample"].get("name") or "").removeprefix("/") or NO_VALUE


def _memory(item: Any, trunc: bool) -> str:
    sample = item["sample"]
    if not sample:
        return f"{NO_VALUE} / {NO_VALUE}"
    return f"{bytes_size(memory_used(sample))} / {bytes_size(_limit(sample))}"


def _pids(item: Any, trunc: bool) -> str:
    return str((item["sample"].get("pids_stats") or {}).get("current") or 0)


FIELDS = {
    "Container": ("CONTAINER", lambda item, trunc: str(item["container"])),
    "Name": ("NAME", _name),
    "ID": ("CONTAINER ID", _identity),
    "CPUPerc": (
        "CPU %",
        lambda item, trunc: f"{cpu_percent(item['sample']):.2f}%" if item["sample"] else NO_VALUE,
    ),
    "MemUsage": ("MEM USAGE / LIMIT", _memory),
    "MemPerc": (
        "MEM %",
        lambda item, trunc: (
            f"{_memory_percent(item['sample']):.2f}%" if item["sample"] else NO_VALUE
        ),
    ),
    "NetIO": (
        "NET I/O",
        lambda item, trunc: _pair(_network(item["sample"])) if item["sample"] else NO_VALUE,
    ),
    "BlockIO": (
        "BLOCK I/O",
        lambda item, trunc: _pair(_blocks(item["sample"])) if item["sample"] else NO_VALUE,
    ),
    "PIDs": ("PIDS", lambda item, trunc: _pids(item, trunc) if item["sample"] else NO_VALUE),
}
"""The fields of a template and of `json`, with their headings."""
