"""Commands run in running containers."""
