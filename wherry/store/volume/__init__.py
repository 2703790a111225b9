"""Named volumes and their data."""
