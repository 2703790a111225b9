"""From a runtime specification to a list of operations, and their execution."""
