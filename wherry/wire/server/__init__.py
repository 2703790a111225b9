"""Listening: one socket for HTTP/1.1 and hijacked streams."""
