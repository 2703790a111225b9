"""Endpoints whose answers are streams: output, logs, statistics, archives."""
