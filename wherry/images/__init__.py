"""Names to digests: pull, push, load, save, import, commit, collect."""
