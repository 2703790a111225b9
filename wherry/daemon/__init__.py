"""Configuration, wiring, the life and the main function of the daemon."""
