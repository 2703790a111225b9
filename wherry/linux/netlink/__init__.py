"""rtnetlink(7) by hand: the dozen messages that container networks need."""
