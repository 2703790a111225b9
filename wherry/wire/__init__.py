"""Bytes on connections: servers and clients for HTTP and what is hijacked from it.

Knows no container.
"""
