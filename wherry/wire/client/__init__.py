"""Calling: HTTP over unix sockets, TCP and TLS."""
