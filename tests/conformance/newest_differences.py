"""Where Wherry is meant to differ from the newest dockerd, each with the reason.

A difference that is listed and does not occur fails the test, so that the list stays true.
"""

OUTPUT: dict[tuple[str, str], str] = {}
"""Exit codes or output, by scenario and line."""

KEYS: dict[tuple[str, str], str] = {}
"""Keys of what is inspected, by noun and `+path: type` (only Wherry's) or `-path: type`."""

EVENTS: dict[tuple[str, str], str] = {}
"""Events, by scenario and `+count event` or `-count event`."""

NEWER_ATTRIBUTES: frozenset[str] = frozenset()
"""Attributes of events that are not compared: none."""
