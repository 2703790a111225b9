"""Room in the kernel's neighbour table, which all network namespaces of the host share.

Each container is an entry of the host's and of each neighbour that talks to it; past `gc_thresh3`
(1,024 by default) packets are lost with "neighbour table overflow" (arp(7)).
"""

import logging
from pathlib import Path

_log = logging.getLogger(__name__)

TABLES = (Path("/proc/sys/net/ipv4/neigh/default"), Path("/proc/sys/net/ipv6/neigh/default"))

_THRESHOLDS = {"gc_thresh3": 8, "gc_thresh2": 4, "gc_thresh1": 1}
"""Entries for each container; the highest is raised first, since it bounds the others."""

_SPARE = 64


def make_room(containers: int, tables: tuple[Path, ...] = TABLES) -> None:
    """Raises the thresholds for this many containers; they are never lowered.

    Only the initial network namespace has them: elsewhere nothing can be done, and nothing is said.
    """
    for table in tables:
        for name, factor in _THRESHOLDS.items():
            wanted = (containers + _SPARE) * factor
            try:
                present = int((table / name).read_text())
                if present >= wanted:
                    continue
                (table / name).write_text(str(wanted * 2))
            except (OSError, ValueError):
                continue
            _log.info("raised %s from %d to %d", table / name, present, wanted * 2)
