"""Frozen values that all rooms share. No I/O here; anybody may import them."""
