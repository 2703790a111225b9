"""Tar streams to directories and back: apply, diff, whiteouts, compression."""
