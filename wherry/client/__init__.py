"""A client of the Engine API that runs wherever Python does."""
