"""Checkpoints of containers, which docker offers on experimental engines alone."""

from __future__ import annotations

from wherry.cli.absent.command import Absent

CHECKPOINTS: dict[str, Absent] = {
    "checkpoint create": Absent(
        "[OPTIONS] CONTAINER CHECKPOINT",
        (2, 2),
        "",
        """
- checkpoint-dir string Use a custom checkpoint storage directory
- leave-running bool Leave the container running after checkpoint
""",
    ),
    "checkpoint ls": Absent(
        "[OPTIONS] CONTAINER",
        (1, 1),
        "",
        "- checkpoint-dir string Use a custom checkpoint storage directory",
        ("checkpoint ls", "checkpoint list"),
    ),
    "checkpoint rm": Absent(
        "[OPTIONS] CONTAINER CHECKPOINT",
        (2, 2),
        "",
        "- checkpoint-dir string Use a custom checkpoint storage directory",
        ("checkpoint rm", "checkpoint remove"),
    ),
}
