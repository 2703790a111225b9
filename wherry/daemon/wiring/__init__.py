"""The one place that builds objects: reading it is reading the architecture."""
