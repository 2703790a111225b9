"""Volumes as users see them."""
