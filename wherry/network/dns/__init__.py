"""The embedded DNS server: a process of its own, which outlives the daemon. asyncio lives here."""
