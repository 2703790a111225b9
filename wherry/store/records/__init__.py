"""The daemon's durable records: one SQLite file, one writer, and the event log."""
