"""Layers as mountable snapshots: prepare, commit, remove. Returns mounts, never mounts."""
