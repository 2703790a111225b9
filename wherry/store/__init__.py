"""Durable state on disk. Each package here is a room and knows none of its neighbours."""
