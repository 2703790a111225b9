"""Secrets of one node, without a swarm."""
