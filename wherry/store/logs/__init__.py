"""Container logs on disk: write, rotate, follow, search."""
