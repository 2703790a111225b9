"""What concerns the whole engine: events, information, disk usage."""
