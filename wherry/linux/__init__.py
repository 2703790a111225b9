"""The kernel's edge: the only room with ctypes and fcntl.

Knows no container; store, runtime, network and supervisor knock.
"""
