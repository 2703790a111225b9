"""Blobs by digest: ingest, verify, resume, open, collect."""
