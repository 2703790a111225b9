"""The life of containers, from create to remove."""
