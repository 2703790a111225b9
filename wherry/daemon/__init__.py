"""Configuration, wiring and the main function of the daemon. The one place that builds objects."""
