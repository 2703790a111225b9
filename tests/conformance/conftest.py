"""The fixtures of the system tests, for clients of other people's making."""

from tests.system.conftest import engine, engine_ready

__all__ = ["engine", "engine_ready"]
