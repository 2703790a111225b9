"""Wherry and its peers side by side: engines, runtimes, command lines, memory, lists."""
